import type { Json } from "../api.ts";
import { fieldsOf } from "../schema-fields.ts";

/** A payload's schema as a table of its fields. */
export function SchemaTable({ schema }: { readonly schema: { readonly [key: string]: Json } }) {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return <p className="px-4 py-3 text-ink-2">Any JSON is taken.</p>;
  return (
    <div className="overflow-x-auto">
      <table className="w-full">
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs text-ink-3">
            <th className="pl-4 font-medium">Field</th>
            <th className="px-3 font-medium">Type</th>
            <th className="pr-4 pl-3 font-medium">Rules</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {fields.map((field) => (
            <tr key={field.path} className="h-8 align-top">
              <td className="py-1.5 pl-4">
                <code className="text-xs font-medium">{field.path}</code>
              </td>
              <td className="px-3 py-1.5 whitespace-nowrap text-ink-2">{field.type}</td>
              <td className="py-1.5 pr-4 pl-3 text-ink-2">
                {[field.required ? "" : "optional", ...field.rules].filter(Boolean).join(", ")}
                {field.description !== undefined && <p>{field.description}</p>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
