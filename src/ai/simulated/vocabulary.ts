/** What a phrase of a business message speaks for. */
export type Topic =
  | "urgent"
  | "calm"
  | "buying"
  | "browsing"
  | "large"
  | "small"
  | "support"
  | "technical"
  | "billing"
  | "complaint"
  | "praise"
  | "spam"
  | "partnership"
  | "press"
  | "people"
  | "legal"
  | "greeting";

/** How strongly phrases speak for a topic: 3 alone decides, 2 does together with another, 1 colours. */
type Phrases = { readonly [weight in 1 | 2 | 3]?: string };

/** Common phrases of business mail in English, with the plainest of German, French and Spanish, separated by `|`. */
export const vocabulary: { readonly [topic in Topic]: Phrases } = {
  urgent: {
    3:
      "asap|as soon as possible|urgent|urgently|emergency|immediately|right away|right now|top priority|time critical|" +
      "dringend|sofort|so schnell wie möglich|au plus vite|dès que possible|de toute urgence|urgente|lo antes posible",
    2:
      "today|tonight|tomorrow|this morning|this afternoon|end of day|eod|this week|deadline|hurry|time sensitive|blocked|" +
      "critical|outage|is down|went down|are down|production down|losing money|heute|morgen|diese woche|aujourd'hui|demain|hoy|mañana|esta semana",
    1: "soon|quickly|fast|next week|this month|still waiting|bald|schnell|bientôt|pronto|rapidement",
  },
  calm: {
    3:
      "no rush|no hurry|not urgent|nothing urgent|whenever|next year|someday|some day|no deadline|take your time|at your convenience|" +
      "keine eile|nicht dringend|nächstes jahr|pas urgent|l'année prochaine|sin prisa|no es urgente|el próximo año",
    2: "eventually|in the future|later this year|long term|not yet|in a few months|maybe later|irgendwann",
    1: "next quarter|at some point",
  },
  buying: {
    3:
      "pricing|price list|quote|quotation|buy|buying|purchase|purchase order|place an order|sign the contract|sign up|upgrade|proposal|demo|" +
      "pilot|procurement|rfp|roll out|rollout|ready to start|talk to sales|contact sales|volume discount|angebot|kaufen|bestellen|preise|" +
      "devis|acheter|commander|tarifs|cotización|comprar|presupuesto|precios",
    2:
      "budget|price|costs|how much|subscription|licence|license|renewal|renew|trial|evaluate|evaluating|shortlist|vendor|switch from|" +
      "switching from|replace|migrate|decision|contract|approved|ready to|get started|interested in|looking for|we need|we want|would like to|wir brauchen|wir suchen|nous cherchons|" +
      "nous avons besoin|necesitamos|buscamos",
  },
  browsing: {
    3:
      "just browsing|just looking|only looking|just curious|only curious|student|homework|thesis|school project|no budget|not interested|" +
      "not ready|not ready to|no plan|hobby|personal project|for fun|nur mal|nur neugierig|juste curieux|solo curiosidad",
    2:
      "maybe|might|perhaps|not sure|wondering|free version|free plan|exploring|general information|more information|some info|" +
      "more info|newsletter|vielleicht|peut-être|quizás|tal vez",
  },
  large: {
    3: "enterprise|fortune 500|worldwide|company wide|multinational|thousands of|all our offices|whole organisation|whole organization|group wide|konzern|konzernweit",
    2: "hundreds of|global|corporation|headquarters|subsidiaries|international|nationwide",
  },
  small: {
    3: "just me|freelancer|solo|one person|one man|sole trader|tiny|personal use|myself|single user|hobby",
    2: "small business|small team|small company|startup|family business|little shop|kleine firma|petite entreprise|pequeña empresa",
  },
  support: {
    3:
      "error|error message|cannot log in|can't log in|cannot login|can't login|cannot access|can't access|not working|doesn't work|does not work|" +
      "don't work|stopped working|broken|bug|crash|crashed|crashing|locked out|wrong invoice|charged twice|double charged|refund|reset my password|" +
      "forgot my password|fail|failing|failed|outage|is down|went down|are down|unable to|cannot|can't|not able to|keeps|funktioniert nicht|" +
      "geht nicht|fehler|fehlermeldung|kaputt|ne fonctionne pas|ne marche pas|erreur|en panne|no funciona|no puedo|error al",
    2: "problem|issue|help|trouble|wrong|stuck|incident|ticket|slow|missing|password|timeout|how do i|problème|problema",
  },
  technical: {
    3:
      "api|rest api|graphql|sso|saml|oauth|scim|single sign on|webhook|sdk|on prem|on premise|self hosted|integration|integrate|integrates|" +
      "kubernetes|docker|terraform|active directory|schnittstelle|intégration|intégrer|integración|integrar",
    2:
      "technical|architecture|encryption|latency|rate limit|data residency|security review|documentation|endpoint|compatible|developer|" +
      "engineer|database|hosting|technisch|technique|técnica",
  },
  billing: {
    3: "invoice|billing|charged|overcharged|refund|payment|credit card|receipt|vat|rechnung|facture|factura|wrong invoice|charged twice",
  },
  complaint: {
    3: "unacceptable|terrible|awful|worst|complaint|complain|cancel our|cancel my|lawyer|ridiculous|fed up|never again|beschwerde|inacceptable|inaceptable",
    2: "disappointed|disappointing|angry|frustrated|frustrating|unhappy|annoyed|again and again|enttäuscht|déçu|decepcionado",
  },
  praise: {
    2: "great|love|excellent|amazing|fantastic|perfect|well done|impressed|wonderful|awesome|happy with|can't wait|cannot wait|super|génial",
    1: "thank you|thanks|many thanks|danke|merci|gracias|happy",
  },
  spam: {
    3:
      "seo|backlink|guest post|rank your website|page of google|crypto|bitcoin|casino|viagra|lottery|you have won|you won|earn money|" +
      "make money|work from home|click here|limited offer|increase your traffic|web design services|investment opportunity|forex|buy followers|" +
      "email list|inheritance|ignore previous instructions|ignore all previous instructions|ignore your instructions",
    2: "unsubscribe|cheap|winner|prize|100 free|act now|guaranteed|per day guaranteed|special promotion",
  },
  partnership: {
    3: "partnership|reseller|become a partner|affiliate|resell|white label|partner program",
    2: "partner|collaborate",
  },
  press: { 3: "journalist|press|interview|magazine|newspaper|reporter|media request", 1: "article" },
  people: {
    3: "job|vacancy|career|internship|apply for|my cv|resume|hiring|parental leave|sick leave|payroll|annual leave|vacation|holiday days",
  },
  legal: { 3: "gdpr|dpa|data processing agreement|legal|nda|compliance|terms and conditions|delete my data" },
  greeting: { 1: "hi|hello|hey|good morning|good afternoon|test|testing|hallo|bonjour|hola|ping" },
};

/** Words that turn what follows them into its contrary. */
export const negators: ReadonlySet<string> = new Set(
  "not|no|never|without|nor|neither|hardly|isn't|aren't|don't|doesn't|didn't|wasn't|won't|haven't|hasn't|nicht|kein|keine|keinen|ohne|pas|sans|sin".split(
    "|",
  ),
);

/** What a negated phrase speaks for instead; where nothing is named, it speaks for nothing. */
export const contraries: { readonly [topic in Topic]?: Topic } = {
  urgent: "calm",
  buying: "browsing",
  large: "small",
  praise: "complaint",
};
