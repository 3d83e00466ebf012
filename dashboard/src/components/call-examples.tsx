import { clsx } from "clsx";
import { useState } from "react";
import type { FlowDetailView } from "../api.ts";
import { callRecipes } from "../call-recipes.ts";
import { CopyButton } from "./copy-button.tsx";
import { Panel } from "./panel.tsx";

/** How to call a flow from a shell: as its sender does, or through the API. */
export function CallExamples({ flow }: { readonly flow: FlowDetailView }) {
  const recipes = callRecipes(flow, location.origin);
  const [chosen, setChosen] = useState(0);
  const recipe = recipes[chosen] ?? recipes[0];
  if (!recipe) return null;
  return (
    <Panel
      title="Call it"
      aside={
        <div className="flex rounded-md border border-line p-0.5">
          {recipes.map(({ label }, index) => (
            <button
              key={label}
              type="button"
              aria-pressed={index === chosen}
              onClick={() => setChosen(index)}
              className={clsx(
                "h-6 rounded-[4px] px-2.5",
                index === chosen ? "bg-hover font-medium" : "text-ink-2 hover:text-ink",
              )}
            >
              {label}
            </button>
          ))}
        </div>
      }
    >
      <p className="px-4 pt-3 pb-2 text-ink-2">{recipe.note}</p>
      <div className="relative mx-4 mb-4 rounded-md border border-line bg-sunken">
        <pre tabIndex={0} className="overflow-x-auto py-2 pr-10 pl-3 text-xs/[18px]">
          {recipe.script}
        </pre>
        <div className="absolute top-1 right-1 rounded-md bg-sunken">
          <CopyButton text={recipe.script} label="Copy the commands" />
        </div>
      </div>
    </Panel>
  );
}
