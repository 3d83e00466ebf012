import { ChevronRight } from "lucide-react";
import { clsx } from "clsx";
import { useState } from "react";
import type { Json } from "../api.ts";
import { formatCount, plural } from "../format.ts";
import { CopyButton } from "./copy-button.tsx";

/** Longer texts and lists start shortened: a page must stay quick with a megabyte of payload on it. */
const shownCharacters = 600;
const shownItems = 50;
const openDepth = 2;

interface JsonViewProps {
  readonly value: Json;
  /** Names what is copied: "Copy input". */
  readonly label: string;
  readonly className?: string;
  /** Starts closed. Default: false. */
  readonly folded?: boolean;
}

/** JSON as a tree that folds. Everything is shown as text; nothing in it is ever read as markup. */
export function JsonView({ value, label, className, folded = false }: JsonViewProps) {
  return (
    <div className={clsx("group relative rounded-md border border-line bg-sunken", className)}>
      <div
        className="max-h-96 overflow-auto py-2 pr-9 pl-3 font-mono text-xs/[18px]"
        tabIndex={0}
        role="group"
        aria-label={label}
      >
        <JsonNode value={value} depth={folded ? openDepth : 0} last />
      </div>
      <div className="absolute top-1 right-1 rounded-md bg-sunken">
        <CopyButton text={() => JSON.stringify(value, null, 2)} label={`Copy ${label}`} />
      </div>
    </div>
  );
}

interface NodeProps {
  readonly name?: string;
  readonly value: Json;
  readonly depth: number;
  readonly last: boolean;
}

function JsonNode(props: NodeProps) {
  const { name, value, last } = props;
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
    return <JsonBranch {...props} value={value} />;
  }
  return (
    <div className="pl-4 break-words whitespace-pre-wrap">
      <JsonKey name={name} />
      <JsonLeaf value={value} />
      {!last && <span className="text-ink-3">,</span>}
    </div>
  );
}

function JsonBranch({
  name,
  value,
  depth,
  last,
}: NodeProps & { readonly value: readonly Json[] | { readonly [key: string]: Json } }) {
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, setOpen] = useState(depth < openDepth && entries.length <= shownItems);
  const [limit, setLimit] = useState(shownItems);
  const [start, end] = isList ? ["[", "]"] : ["{", "}"];
  return (
    <div className="relative pl-4">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="-ml-4 inline-flex items-start text-left"
      >
        <ChevronRight
          size={12}
          className={clsx("mt-[3px] mr-1 shrink-0 text-ink-3 transition-transform", open && "rotate-90")}
        />
        <span>
          <JsonKey name={name} />
          <span className="text-ink-3">
            {open ? start : `${start} ${plural(entries.length, isList ? "item" : "field")} ${end}${last ? "" : ","}`}
          </span>
        </span>
      </button>
      {open && (
        <>
          {entries.slice(0, limit).map(([key, child], index) => (
            <JsonNode
              key={key}
              {...(isList ? {} : { name: key })}
              value={child}
              depth={depth + 1}
              last={index === entries.length - 1}
            />
          ))}
          {entries.length > limit && (
            <MoreButton onClick={() => setLimit(limit + 200)}>{formatCount(entries.length - limit)} more</MoreButton>
          )}
          <span className="text-ink-3">
            {end}
            {last ? "" : ","}
          </span>
        </>
      )}
    </div>
  );
}

function JsonKey({ name }: { readonly name: string | undefined }) {
  if (name === undefined) return null;
  return (
    <>
      <span className="text-ink-2">{name}</span>
      <span className="text-ink-3">: </span>
    </>
  );
}

function JsonLeaf({ value }: { readonly value: Json }) {
  const [whole, setWhole] = useState(false);
  if (typeof value === "string") {
    const text = whole ? value : value.slice(0, shownCharacters);
    return (
      <>
        <span className="text-ink">{JSON.stringify(text)}</span>
        {text.length < value.length && (
          <MoreButton onClick={() => setWhole(true)}>
            {formatCount(value.length - text.length)} more characters
          </MoreButton>
        )}
      </>
    );
  }
  if (value === null) return <span className="text-ink-3">null</span>;
  if (typeof value === "object") return <span className="text-ink-3">{Array.isArray(value) ? "[]" : "{}"}</span>;
  return <span className="text-accent">{String(value)}</span>;
}

function MoreButton({ onClick, children }: { readonly onClick: () => void; readonly children: React.ReactNode }) {
  return (
    <button type="button" onClick={onClick} className="ml-2 rounded text-accent underline underline-offset-2">
      … {children}
    </button>
  );
}
