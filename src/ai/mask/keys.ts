import { groupOf, type Rule, type Span, wholeOf } from "./rule.ts";

/** How the keys of well-known services begin, and what follows. From the services' own documentation. */
const shapes = [
  String.raw`sk-[\w-]{16,200}`, // OpenAI, Anthropic and those that follow them
  String.raw`(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z\d]{16,200}`, // Stripe
  String.raw`gh[pousr]_[A-Za-z\d]{20,255}`, // GitHub
  String.raw`github_pat_\w{20,255}`,
  String.raw`glpat-[\w-]{20,100}`, // GitLab
  String.raw`xox[abeoprs]-[\w-]{10,250}`, // Slack
  String.raw`xapp-[\w-]{10,250}`,
  String.raw`(?:AKIA|ASIA|AIDA|AROA)[A-Z\d]{16}`, // AWS
  String.raw`AIza[\w-]{35}`, // Google
  String.raw`ya29\.[\w-]{20,500}`,
  String.raw`hf_[A-Za-z\d]{20,100}`, // Hugging Face
  String.raw`npm_[A-Za-z\d]{36}`,
  String.raw`pypi-[\w-]{50,300}`,
  String.raw`SG\.[\w-]{16,64}\.[\w-]{16,64}`, // SendGrid
  String.raw`dop_v1_[a-f\d]{64}`, // DigitalOcean
  String.raw`shp(?:at|ca|pa|ss)_[a-fA-F\d]{32}`, // Shopify
  String.raw`pat-[a-z]{2}\d-[a-f\d-]{36}`, // HubSpot
  String.raw`eyJ[\w-]{8,4000}\.eyJ[\w-]{4,8000}(?:\.[\w-]{0,2000})?`, // JSON Web Token
];

export const knownKeyRule: Rule = {
  kind: "KEY",
  pattern: new RegExp(String.raw`(?<![A-Za-z\d])(?:${shapes.join("|")})`, "g"),
};

/** No private key is longer: RSA with 16,384 bits has 12,800 characters. */
const longestPem = 16_000;

export const privateKeyRule: Rule = {
  kind: "KEY",
  pattern: /-----BEGIN [A-Z\d ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g,
  accept(candidate, text) {
    const { start, end } = wholeOf(candidate);
    const after = text.slice(end, end + longestPem);
    const last = /-----END [A-Z\d ]{0,60}-----/.exec(after);
    return [{ start, end: end + (last === null ? after.length : last.index + last[0].length) }];
  },
};

const secretWords =
  "api[ _-]?keys?|access[ _-]?keys?|secret[ _-]?keys?|private[ _-]?keys?|client[ _-]?secret|secrets?|(?:access|auth|bearer|refresh|session|api)?[ _-]?tokens?|" +
  "passwords?|passwort|passphrase|passwd|pwd|mot de passe|contraseña|wachtwoord|credentials?";

/** `api_key=...`, `"token": "..."`, `password is ...`, `the key ...`: a password only after a sign or `is`, anything else where it looks random. */
export const announcedKeyRule: Rule = {
  kind: "KEY",
  pattern: new RegExp(
    String.raw`(?<![A-Za-z\d])(${secretWords}|keys?)(?:["'’]?(?:[\0 ]{0,3}[:=]{1,2}>?| is)?[\0 ]{1,3}|["'’]?[\0 ]{0,3}[:=]{1,2}>?)["']?([^\s"'<>,;\0]{6,500})`,
    "gi",
  ),
  accept(candidate, text) {
    const [, word = "", value = ""] = candidate;
    const isQuoted = /["']/.test(text.charAt(wholeOf(candidate).end));
    const secret = isQuoted ? value : value.replace(/[.!?)\]}]{1,3}$/, "");
    const isPassword =
      /^(?:pass|pwd|mot|contra|wacht|cred)/i.test(word) &&
      /[:=]| is /.test(candidate[0].slice(word.length, -value.length));
    return (isPassword ? looksLikePassword(secret) : looksRandom(secret)) ? [groupOf(candidate, secret)] : [];
  },
};

/** Not a word: a figure in it, a sign, or a capital in the middle. */
function looksLikePassword(text: string): boolean {
  return text.length >= 6 && (/\d/.test(text) || /[^\p{L}\p{N}.-]/u.test(text) || /\p{Ll}\p{Lu}/u.test(text));
}

/** Letters and figures mixed, no two of one kind in a row for long, as in a key that a machine made. */
function looksRandom(text: string): boolean {
  return text.length >= 12 && /\d/.test(text) && /[A-Za-z]/.test(text) && new Set(text).size >= 8;
}

export const authorizationRule: Rule = {
  kind: "KEY",
  pattern: /(?<![A-Za-z])(?:Bearer|Basic) {1,2}([\w.~+/=-]{16,4000})/g,
  accept(candidate) {
    const secret = candidate[1] ?? "";
    return /\d/.test(secret) && /[A-Za-z]/.test(secret) ? [groupOf(candidate, secret)] : [];
  },
};

/** The user name and password of a URL. */
export const urlCredentialsRule: Rule = {
  kind: "KEY",
  pattern: /(?<=[a-z]:\/\/)([^\s/:@"']{1,100}:[^\s/@"']{1,200})@/g,
  accept: (candidate): Span[] => [groupOf(candidate, candidate[1] ?? "")],
};
