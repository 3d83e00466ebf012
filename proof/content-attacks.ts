import { requestPlace, responsePlace } from "../src/store/ai-calls.ts";
import { sealContent } from "../src/store/sealed.ts";
import { type Attack, flipCharacter, type Place } from "./ledger-attacks.ts";

type CallPart = "request" | "response";

/** All attacks on what is stored of AI calls, each done to content that is as it was recorded. */
export const contentAttacks: readonly Attack[] = (["request", "response"] as const).flatMap((part): Attack[] => [
  { name: `a byte of a stored ${part} flipped`, strike: (place) => flipContent(place, part) },
  {
    name: `the stored ${part} of a call put in the place of another one's of the same run`,
    strike: ({ database }) =>
      database.query(`update sluice.ai_calls as call set ${part} = other.${part} from sluice.ai_calls as other
          where other.run_id = call.run_id and other.id > call.id and call.${part} is not null and other.${part} is not null`),
  },
  {
    name: `a stored ${part} replaced by a plain one`,
    strike: async (place) => {
      const { id } = await drawCall(place, part);
      await place.database.query(`update sluice.ai_calls set ${part} = '"plain"' where id = $1`, [id]);
    },
  },
  {
    name: `a stored ${part} replaced by one sealed with the right key`,
    strike: async (place) => {
      const { id, runId, contentKey } = await drawCall(place, part);
      const placeOf = part === "request" ? requestPlace : responsePlace;
      const sealed = sealContent(place.keyring.openKey(contentKey), "other", placeOf({ id, runId }));
      await place.database.query(`update sluice.ai_calls set ${part} = $2::json where id = $1`, [id, sealed]);
    },
  },
]);

interface DrawnCall {
  readonly id: string;
  readonly runId: string;
  readonly contentKey: string;
  readonly content: string;
}

/** A call of which a part is stored. */
async function drawCall({ database, draw }: Place, part: CallPart): Promise<DrawnCall> {
  const calls = await database.query<DrawnCall>(`
    select call.id, call.run_id as "runId", event.content_key as "contentKey", call.${part}::text as content
    from sluice.ai_calls as call join sluice.events as event on event.run_id = call.run_id
    where call.${part} is not null order by call.id`);
  const call = calls[draw("call", calls.length)];
  if (!call) throw new Error(`no ${part} is stored`);
  return call;
}

async function flipContent(place: Place, part: CallPart): Promise<void> {
  const { id, content } = await drawCall(place, part);
  // Bits of the last characters of a base64 text may stand for nothing.
  const flipped = flipCharacter(content, place.draw("byte", content.length - 6), true);
  await place.database.query(`update sluice.ai_calls set ${part} = $2::json where id = $1`, [id, flipped]);
}
