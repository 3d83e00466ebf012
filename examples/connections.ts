import { secret, signatures } from "sluice";
import { hubspotConnection } from "sluice/hubspot";
import { slackConnection } from "sluice/slack";

/** The workspace that gets the messages. */
export const slack = slackConnection({ name: "slack", token: secret("SLACK_BOT_TOKEN") });

/** The CRM that gets the leads. */
export const crm = hubspotConnection({ name: "crm", token: secret("HUBSPOT_TOKEN") });

/** The contact form on the website signs its deliveries by the Standard Webhooks scheme. */
export const leadsForm = signatures.standardWebhooks(secret("LEADS_FORM_SECRET"));
