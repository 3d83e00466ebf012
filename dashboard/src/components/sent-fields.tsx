import type { AiCallView, SentFieldView } from "../api.ts";
import { plural } from "../format.ts";
import { entityWords, maskedSentence } from "../gateway-words.ts";
import { Badge } from "./badge.tsx";

/** How little left: "37 fields available, 2 sent", where each came from, and what in it was masked. */
export function SentFields({ call }: { readonly call: AiCallView }) {
  const { sentFields, availableFields } = call;
  const masked = maskedSentence(call.masked);
  return (
    <div>
      <p>
        {plural(availableFields, "field")} available,{" "}
        <strong className="font-medium">{sentFields.length === 0 ? "none" : sentFields.length} sent</strong>
        {masked === null ? (
          <span className="text-ink-2">; nothing in it was masked.</span>
        ) : (
          <span>
            ; masked before it left: <strong className="font-medium">{masked}</strong>.
          </span>
        )}
      </p>
      {sentFields.length > 0 && (
        <ul className="mt-1.5 divide-y divide-line rounded-md border border-line">
          {sentFields.map((field) => (
            <SentField key={field.name} field={field} />
          ))}
        </ul>
      )}
    </div>
  );
}

function SentField({ field: { name, sources, masked } }: { readonly field: SentFieldView }) {
  return (
    <li className="flex flex-wrap items-center gap-x-2 gap-y-1 px-3 py-1">
      <code className="rounded bg-accent-soft px-1.5 text-xs/[18px] break-all text-accent">{name}</code>
      <span className="min-w-0 text-ink-2">
        {sources.length === 0 ? (
          "made by the flow"
        ) : (
          <>
            from the event’s{" "}
            {sources.map((source, index) => (
              <span key={source}>
                {index > 0 && ", "}
                <code className="text-xs break-all text-ink">{source}</code>
              </span>
            ))}
          </>
        )}
      </span>
      {masked.length > 0 && (
        <span className="ml-auto flex flex-wrap gap-1 max-sm:ml-0">
          {masked.map((kind) => (
            <Badge key={kind} tone="wait" title={`Values of this kind were masked: ${entityWords(kind)}`}>
              {entityWords(kind)}
            </Badge>
          ))}
        </span>
      )}
    </li>
  );
}
