import { lazy, Suspense, type ComponentType, type ReactNode } from "react";

/**
 * A component that is loaded when it is first shown: what few readers open is no part of the first load.
 *
 * @param fallback stands there until it is loaded. Default: nothing.
 */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  fallback: ReactNode = null,
): (props: Props) => ReactNode {
  const Part: ComponentType<Props> = lazy(async () => ({ default: await load() }));
  return (props) => (
    <Suspense fallback={fallback}>
      <Part {...props} />
    </Suspense>
  );
}
