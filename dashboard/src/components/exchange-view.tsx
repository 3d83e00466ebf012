import type { Json } from "../api.ts";
import type { Exchange, Message } from "../messages.ts";
import { CopyButton } from "./copy-button.tsx";
import { JsonView } from "./json-view.tsx";
import { MaskedText } from "./masked-text.tsx";
import { Caption } from "./panel.tsx";

interface ExchangeViewProps {
  readonly title: string;
  readonly exchange: Exchange;
  /** The whole, as it is recorded; what the copy button gives. */
  readonly whole: Json;
  /** The kinds of values that were masked in it. */
  readonly maskedKinds: readonly string[];
}

/** What went to or came from a model. Nothing recorded is left out: what is in no message stands folded below. */
export function ExchangeView({ title, exchange, whole, maskedKinds }: ExchangeViewProps) {
  const label = title.toLowerCase();
  return (
    <div className="min-w-0">
      <Caption>
        {title}
        <span className="ml-auto">
          <CopyButton text={() => JSON.stringify(whole, null, 2)} label={`Copy ${label}`} />
        </span>
      </Caption>
      <div className="space-y-2">
        {exchange.messages.length > 0 && <Messages messages={exchange.messages} maskedKinds={maskedKinds} />}
        {exchange.rest !== null && (
          <JsonView value={exchange.rest} label={label} folded={exchange.messages.length > 0} />
        )}
      </div>
    </div>
  );
}

interface MessagesProps {
  readonly messages: readonly Message[];
  readonly maskedKinds: readonly string[];
}

function Messages({ messages, maskedKinds }: MessagesProps) {
  return (
    <div className="divide-y divide-line rounded-md border border-line bg-sunken">
      {messages.map((message, index) => (
        <div key={index} className="px-3 py-2">
          <div className="text-xs font-medium text-ink-3">{message.role}</div>
          <pre
            tabIndex={0}
            className={`max-h-64 overflow-auto break-words whitespace-pre-wrap ${message.isText ? "font-sans" : "text-xs/[18px]"}`}
          >
            <MaskedText text={message.content} kinds={maskedKinds} />
          </pre>
        </div>
      ))}
    </div>
  );
}
