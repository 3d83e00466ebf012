/**
 * Business texts with places for values: `{EMAIL}` and so on are labelled, `{-order}` and so on are hard negatives: they look like a value
 * and are none. Written for this benchmark from general knowledge; no real mail is among them.
 */
export const templates: readonly string[] = [
  // Mails, English
  `Dear {PERSON},

Thank you for calling yesterday about order {-order}. I have moved the delivery to {-date} and the driver will ring you on {PHONE} an hour before.
The address we have is {ADDRESS}, London, {POSTCODE}. If that is wrong, reply to {EMAIL}.

Kind regards,
{PERSON}
Customer Care, {COMPANY}`,
  `Hi {FIRST},

Quick one: invoice {-invoice} for {-price} is still open. Could you ask {PERSON} in Finance to pay it to {IBAN} by Friday? The reference is {-order}.

Thanks,
{FIRST}`,
  `Hello,

my name is {PERSON} and I run operations at {COMPANY}. We are about 140 people and want to replace our ticket system before {-date}. Budget is around {-price}.
Please call me on {PHONE} or write to {EMAIL}.

Best wishes
{PERSON}`,
  `From: {PERSON} <{EMAIL}>
To: {PERSON} <{EMAIL}>
Subject: Re: Renewal of contract {-invoice}
Date: {-datetime}

Both of us can make Tuesday. {PERSON} will join from {COMPANY}. Dial-in is {PHONE}, code {-code}.`,
  `Dear Sir or Madam,

I was charged twice on my card {CARD} on {-date}, {-price} each time. My bank says the second one was authorised from {IP}. Please refund one of them.

Yours faithfully,
{PERSON}
{ADDRESS}
{POSTCODE}`,
  `Hi team, {PERSON} from {COMPANY} called about ticket {-ticket}. She cannot log in since version {-version}. Her browser shows {-uuid}. Call her back on {PHONE} please, mobile {PHONE}.`,
  `Good morning {PERSON},

Following the onboarding form we still need your National Insurance number; payroll has {NI_NUMBER} on file, is that right? Date of birth: {DATE_OF_BIRTH}.
Salary goes to {IBAN} on the 28th.

Regards,
{PERSON}`,
  `Hi,
as discussed here are the new starters for {-date}:
- {PERSON}, NI {NI_NUMBER}, DOB {DATE_OF_BIRTH}, {EMAIL}
- {PERSON}, NI {NI_NUMBER}, DOB {DATE_OF_BIRTH}, {EMAIL}
Laptops are ordered (PO {-order}).`,
  `Dear Dr {SURNAME},

Re: {PERSON}, NHS number {NHS_NUMBER}, born {DATE_OF_BIRTH}
Thank you for referring this patient, who lives at {ADDRESS}, {POSTCODE}. Blood pressure was 120/80, BMI 24.5, next review on {-date}.

Yours sincerely,
Dr {PERSON}`,
  `Patient: {PERSON}
NHS No: {NHS_NUMBER}
Date of birth: {DATE_OF_BIRTH}
Phone: {PHONE}
Seen on {-date} at 10:30, ward 12, bed 4. Sample {-order} sent to the lab.`,
  `Employee record {-order}
Name: {PERSON}
SSN: {SSN}
Date of birth: {DATE_OF_BIRTH}
Phone: {PHONE_US}
Address: {ADDRESS}, Springfield, {ZIP}
Start date: {-date}`,
  `Hi {FIRST}, the background check for {PERSON} came back. SSN {SSN} matches, birthday {DATE_OF_BIRTH} too. Report id {-uuid}. Forward it to {EMAIL}?`,
  // Tickets and chat
  `[{-datetime}] {FIRST}: can someone look at ticket {-ticket}?
[{-datetime}] {FIRST}: on it. who is the customer?
[{-datetime}] {FIRST}: {PERSON}, {EMAIL}, says the export fails with code {-code}
[{-datetime}] {FIRST}: request came from {IP}, build {-version}`,
  `Ticket {-ticket}: "Cannot reset password"
Reporter: {PERSON} ({EMAIL})
The user typed password: {PASSWORD} into the chat, please make them change it. Last login {-datetime} from {IP}. Order {-order} is not affected.`,
  `Hey, the webhook started to fail after the upgrade to {-version}. We send it with Authorization: Bearer {TOKEN} and the body has id {-uuid}. Key in our config is api_key={API_KEY}. Source address is {IP}. Contact {EMAIL}.`,
  `Deploy log {-datetime}
host {IP} -> {IP6}
export OPENAI_API_KEY={API_KEY}
commit {-sha} ok, artefact {-version}
notify {EMAIL}`,
  `Bonjour, je n'arrive plus à me connecter depuis {-date}. Mon compte est {EMAIL}, mon téléphone {PHONE_FR}. Numéro de commande {-order}. Merci, {PERSON}`,
  `visitor: hi, I ordered on {-date}, number {-order}, and nothing came
agent: I am sorry to hear that. What is your full name and postcode?
visitor: {PERSON}, {POSTCODE}
agent: thank you. and a phone number?
visitor: {PHONE}
agent: found it, it was {-price}, parcel {-tracking}`,
  `voicemail transcript: hello this is {PERSON} from {COMPANY}, um, calling about the quote you sent on {-date}, please ring me back on {PHONE}, that is {PHONE}, thanks bye`,
  `Lead from the fair: {PERSON}, {COMPANY}, wants a demo in week 12. Deal size about {-price}. Card on desk: {EMAIL} / {PHONE}. Competitor quoted {-price}.`,
  `Meeting notes {-date}
Present: {PERSON}, {PERSON}, {PERSON}
1. Roadmap: version {-version} slips to {-date}.
2. {PERSON} to send the contract {-invoice} to {COMPANY}.
3. Budget {-price}, approved by {PERSON}.`,
  `"id","name","email","phone","postcode","total"
"{-order}","{PERSON}","{EMAIL}","{PHONE}","{POSTCODE}","{-price}"
"{-order}","{PERSON}","{EMAIL}","{PHONE}","{POSTCODE}","{-price}"`,
  `{"ticket":"{-ticket}","created":"{-datetime}","requester":{"name":"{PERSON}","email":"{EMAIL}"},"body":"Hi,\\nplease update my card to {CARD}, expiry 12/27, and bill {ADDRESS}, {POSTCODE}.\\nThanks\\n{FIRST}"}`,
  `{"event":"signup","request_id":"{-uuid}","ip":"{IP}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/{-version}","email":"{EMAIL}","date_of_birth":"{DATE_OF_BIRTH}","plan":"pro-2024"}`,
  `Refund request
Order {-order}, {-price}, paid with {CARD}
Refund to IBAN {IBAN}, account holder {PERSON}
Phone {PHONE}, {EMAIL}`,
  `Hi {FIRST}, my new number is {PHONE} and the old one, {PHONE}, stops working on {-date}. Post still goes to {ADDRESS}, {POSTCODE}. {FIRST}`,
  // German
  `Sehr geehrte Frau {SURNAME},

vielen Dank für Ihre Anfrage vom {-date_de}. Bitte überweisen Sie {-price_de} auf {IBAN}, Verwendungszweck {-invoice}.
Rückfragen: {PHONE_DE} oder {EMAIL}.

Mit freundlichen Grüßen
{PERSON}
{COMPANY}
{ADDRESS_DE}`,
  `Hallo {FIRST},
der Kunde {PERSON} (geboren am {DATE_OF_BIRTH_DE}) wohnt jetzt {ADDRESS_DE}. Bitte im System {-order} ändern und kurz anrufen: {PHONE_DE}.
Viele Grüße
{FIRST}`,
  // French, Spanish, Italian, Dutch
  `Bonjour Madame {SURNAME},

Votre facture {-invoice} du {-date_de} ({-price_de}) a été réglée depuis le compte {IBAN}. Pour toute question : {PHONE_FR} ou {EMAIL}.
Notre adresse : {ADDRESS_FR}.

Cordialement,
{PERSON}`,
  `Hola {FIRST},
te escribo de parte de {PERSON}, de {COMPANY}. El pedido {-order} no ha llegado a {ADDRESS_ES}. Mi correo es {EMAIL} y mi IBAN {IBAN}.
Saludos,
{PERSON}`,
  `Gentile {PERSON},
la sua richiesta {-ticket} del {-date_de} è stata chiusa. Scriva a {EMAIL} o chiami il {PHONE_INTL}.
Cordiali saluti,
{PERSON}`,
  `Beste {FIRST},
kun je {PERSON} terugbellen op {PHONE_INTL}? Het gaat over factuur {-invoice}, rekening {IBAN}. Adres: {ADDRESS_NL}.
Groeten,
{FIRST}`,
  // Hard ones
  `Please find the figures for Q3 2024: revenue {-price}, 10,245,300 units, growth 12.5 %, SKU {-sku}, tracking {-tracking}, release {-version}, build {-sha}. Nothing personal in here. New York office is closed on Monday, Product Launch in San Francisco is on {-date}.`,
  `Error 0x80070005 at 10:22:31, thread 140735, request {-uuid}, version {-version}, order {-order}, ISBN 978-3-16-148410-0, total {-price}. See {-date} log, ticket {-ticket}. Opening hours 09:00-17:30, extension 4412.`,
  `The warranty runs from {-date} to {-date}. Article {-sku}, serial {-order}, invoice {-invoice}, {-price}. Support is on floor 3, room 204. Regards, Support Team`,
  `Claim {-invoice}: the insured, {PERSON}, date of birth {DATE_OF_BIRTH}, reports damage on {-date} at {ADDRESS}, {POSTCODE}. Witness: {PERSON}, {PHONE}. Payout {-price} to {IBAN}.`,
  `We met {PERSON} and her colleague {PERSON} last week. According to {PERSON}, {COMPANY} plans to open 12 shops by {-date}. Afterwards {FIRST} sent the slides, {-invoice}.`,
  `Visa application: applicant {PERSON}, born {DATE_OF_BIRTH}, email {EMAIL}, phone {PHONE_INTL}, employer {COMPANY}, sponsor {PERSON}. Case {-order}, submitted {-date}.`,
  `Server {IP} was reached from {IP6} at {-datetime}. User {EMAIL} used key {API_KEY}. The session token: {TOKEN}. Firmware {-version}.`,
  `Onboarding of {COMPANY}: contact {PERSON}, {PHONE}, {EMAIL}. Bank details: IBAN: {IBAN}. VAT number is in contract {-invoice}. Kick-off {-date}, value {-price}.`,
];

/** Forms as they come in: the values stand in named fields, and again in the message. */
export const forms: readonly { readonly fields: Readonly<Record<string, string>>; readonly message: string }[] = [
  {
    fields: { name: "{PERSON#1}", email: "{EMAIL#1}", company: "{COMPANY#1}", phone: "{PHONE#1}" },
    message:
      "We are looking for 40 seats. You can reach {PERSON#1} at {EMAIL#1} or {PHONE#1}. {COMPANY#1} is based in Leeds.",
  },
  {
    fields: {
      first_name: "{FIRST#1}",
      last_name: "{SURNAME#1}",
      work_email: "{EMAIL#1}",
      mobile: "{PHONE#1}",
      employer: "{COMPANY#1}",
    },
    message: "Hello, {FIRST#1} {SURNAME#1} here. {COMPANY#1} needs an offer for order {-order} until {-date}.",
  },
  {
    fields: {
      fullName: "{PERSON#1}",
      dateOfBirth: "{DATE_OF_BIRTH#1}",
      street: "{ADDRESS#1}",
      postcode: "{POSTCODE#1}",
      iban: "{IBAN#1}",
    },
    message: "I moved to {ADDRESS#1}, {POSTCODE#1}. Please use {IBAN#1} from {-date}. Regards {PERSON#1}",
  },
  {
    fields: {
      contact: "{PERSON#1}",
      emailAddress: "{EMAIL#1}",
      organisation: "{COMPANY#1}",
      tel: "{PHONE_INTL#1}",
      zip: "{ZIP5#1}",
    },
    message: "{PERSON#1} asked for a call on {PHONE_INTL#1}; {COMPANY#1} has moved to {ZIP5#1}.",
  },
];
