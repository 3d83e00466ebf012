import { EmptyState } from "./panel.tsx";

/** What stands where no flow is defined yet. */
export function NoFlows() {
  return (
    <EmptyState title="No flow is defined yet.">
      Write one in the folder of your configuration, or copy an example, and Sluice shows it here at its next start.
    </EmptyState>
  );
}
