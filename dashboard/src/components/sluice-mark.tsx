/** The mark: a gate between two posts, with water under it. */
export function SluiceMark({ size = 20 }: { readonly size?: number }) {
  return (
    <svg viewBox="0 0 20 20" width={size} height={size} aria-hidden="true" className="shrink-0">
      <path className="fill-ink" d="M2 2h2v16H2zM16 2h2v16h-2zM4 3h12v1.6H4z" />
      <path className="fill-accent" d="M5.4 6h9.2v5H5.4z" />
      <path
        className="stroke-accent"
        fill="none"
        strokeWidth="1.3"
        d="M4.6 14.4q1.4-1.3 2.7 0t2.7 0 2.7 0 2.7 0M4.6 17.2q1.4-1.3 2.7 0t2.7 0 2.7 0 2.7 0"
      />
    </svg>
  );
}
