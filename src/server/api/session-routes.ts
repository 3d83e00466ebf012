import { z } from "zod";
import { createIdentifier, SluiceError } from "../../core/index.ts";
import { unauthenticated, type Caller } from "../auth/caller.ts";
import { digestOfToken } from "../auth/token.ts";
import { defineRoute, empty, json, type Services } from "./route.ts";
import { SetupRequest, SetupView, SignInRequest, UserView } from "./schemas.ts";

/** Tries before the throttle slows down: for one person mistyping, and for an office behind one address. */
const freeTries = { email: 5, address: 30 };

/** The first user, and signing in and out. */
export const sessionRoutes = [
  defineRoute({
    id: "checkSetupLink",
    method: "GET",
    path: "/setup",
    access: "anyone",
    summary: "Tells whether a setup link can be used; changes nothing",
    query: z.object({ token: z.string().max(200) }),
    answers: { 200: SetupView },
    handle: async ({ query }, { ports }) =>
      json(200, {
        live: await ports.workspace.people.isSetupTokenLive(digestOfToken(query.token)),
      } satisfies SetupView),
  }),
  defineRoute({
    id: "setUp",
    method: "POST",
    path: "/setup",
    access: "anyone",
    summary: "Creates the first user with a setup link, and signs in",
    body: SetupRequest,
    answers: { 201: UserView },
    errors: ["SETUP_LINK_INVALID", "SETUP_ALREADY_DONE"],
    async handle({ body }, { ports, passwords, sessions }) {
      const { people } = ports.workspace;
      const tokenDigest = digestOfToken(body.token);
      // Asked first, so that nobody can make us hash passwords without a link.
      if (!(await people.isSetupTokenLive(tokenDigest))) throw await toSetupError(people);
      const { name, email } = body;
      const user = { id: createIdentifier("usr", new Date()), name, email, role: "admin" as const };
      const passwordHash = await passwords.hash(body.password);
      if (!(await people.createFirstUser(tokenDigest, { ...user, passwordHash }))) throw await toSetupError(people);
      ports.log.info("setup.completed", { by: user.id });
      return json(201, toUserView({ ...user, email: email.toLowerCase() }), {
        "set-cookie": await sessions.start(user.id),
      });
    },
  }),
  defineRoute({
    id: "signIn",
    method: "POST",
    path: "/session",
    access: "anyone",
    summary: "Signs in",
    body: SignInRequest,
    answers: { 200: UserView },
    errors: ["SIGN_IN_FAILED", "SIGN_IN_THROTTLED"],
    async handle({ body, context }, { ports, passwords, sessions, throttle }) {
      const email = { key: `email ${body.email.toLowerCase()}`, free: freeTries.email };
      const address = { key: `address ${addressOf(context.env)}`, free: freeTries.address };
      throttle.take([email, address]);
      const user = await ports.workspace.people.findUserByEmail(body.email);
      const fits = await passwords.verify(user?.passwordHash ?? null, body.password);
      if (!user || !fits) throw signInFailed();
      throttle.forget(email.key);
      throttle.giveBack(address.key);
      return json(200, toUserView(user), { "set-cookie": await sessions.start(user.id) });
    },
  }),
  defineRoute({
    id: "getSession",
    method: "GET",
    path: "/session",
    access: "read",
    summary: "Tells who is signed in; for an API key its name, without an e-mail address",
    answers: { 200: UserView },
    async handle({ caller }) {
      if (!caller) throw unauthenticated();
      return json(200, toUserView(caller));
    },
  }),
  defineRoute({
    id: "signOut",
    method: "DELETE",
    path: "/session",
    access: "anyone",
    summary: "Signs out; also when the session is over already",
    answers: { 204: null },
    handle: async ({ context }, { sessions }) => empty({ "set-cookie": await sessions.end(context) }),
  }),
];

function toUserView({ id, email, name, role }: Caller): UserView {
  return { id, email, name, role };
}

async function toSetupError(people: Services["ports"]["workspace"]["people"]): Promise<SluiceError> {
  if ((await people.countUsers()) > 0) {
    return new SluiceError("SETUP_ALREADY_DONE", {
      message: "the first user was created before",
      hint: "Sign in, or ask an admin for access.",
    });
  }
  return new SluiceError("SETUP_LINK_INVALID", {
    message: "the setup link is unknown, used or older than 24 hours",
    hint: "Start Sluice again: it prints a new link until there is a user.",
  });
}

/** The same for an unknown address and a wrong password. */
function signInFailed(): SluiceError {
  return new SluiceError("SIGN_IN_FAILED", {
    message: "the e-mail address and the password do not fit together",
    hint: "Try again, or ask an admin to reset the password.",
  });
}

/** The other end of the connection. Forwarding headers are not looked at: anyone can write them. */
function addressOf(environment: unknown): string {
  const { incoming } = Object(environment) as { incoming?: { socket?: { remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress ?? "unknown";
}
