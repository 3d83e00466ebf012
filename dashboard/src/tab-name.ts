import { useEffect } from "react";

/** Names the browser's tab after what it shows. */
export function useTabName(name: string | undefined): void {
  useEffect(() => {
    document.title = name === undefined ? "Sluice" : `${name} · Sluice`;
  }, [name]);
}
