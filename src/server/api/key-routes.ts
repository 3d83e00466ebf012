import { z } from "zod";
import { createIdentifier, SluiceError } from "../../core/index.ts";
import type { ApiKeyRecord } from "../../store/index.ts";
import { apiKeyPrefix } from "../auth/caller.ts";
import { createToken, digestOfToken } from "../auth/token.ts";
import { Identifier } from "./parameters.ts";
import { defineRoute, empty, json } from "./route.ts";
import { ApiKeyPage, CreateApiKeyRequest, CreatedApiKey, type ApiKeyView } from "./schemas.ts";

/** Keys for programs. */
export const keyRoutes = [
  defineRoute({
    id: "listKeys",
    method: "GET",
    path: "/keys",
    access: "keys",
    summary: "Lists all API keys, revoked ones included, the newest first",
    answers: { 200: ApiKeyPage },
    async handle(_call, { ports }) {
      const keys = await ports.workspace.apiKeys.list();
      return json(200, { items: keys.map(toApiKeyView), next: null } satisfies ApiKeyPage);
    },
  }),
  defineRoute({
    id: "createKey",
    method: "POST",
    path: "/keys",
    access: "keys",
    summary: "Creates an API key; the key itself is in this answer only",
    body: CreateApiKeyRequest,
    answers: { 201: CreatedApiKey },
    async handle({ body, caller }, { ports }) {
      const token = createToken(apiKeyPrefix);
      const createdAt = new Date();
      const key = { id: createIdentifier("key", createdAt), name: body.name, role: body.role };
      await ports.workspace.apiKeys.create({ ...key, tokenDigest: digestOfToken(token) });
      ports.log.info("key.created", { key: key.id, by: caller?.id ?? null });
      const view = toApiKeyView({ ...key, createdAt, lastUsedAt: null, revokedAt: null });
      return json(201, { ...view, token } satisfies CreatedApiKey);
    },
  }),
  defineRoute({
    id: "revokeKey",
    method: "DELETE",
    path: "/keys/:id",
    access: "keys",
    summary: "Revokes an API key at once",
    params: z.object({ id: Identifier }),
    answers: { 204: null },
    errors: ["NOT_FOUND"],
    async handle({ params, caller }, { ports }) {
      if (!(await ports.workspace.apiKeys.revoke(params.id))) {
        throw new SluiceError("NOT_FOUND", {
          message: `there is no live API key "${params.id}"`,
          hint: "List the keys with GET /api/v1/keys; a revoked one stays revoked.",
        });
      }
      ports.log.info("key.revoked", { key: params.id, by: caller?.id ?? null });
      return empty();
    },
  }),
];

function toApiKeyView({ id, name, role, createdAt, lastUsedAt, revokedAt }: ApiKeyRecord): ApiKeyView {
  return {
    id,
    name,
    role,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
