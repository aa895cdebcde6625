import { Bar } from './tile.tsx';

interface PanelProps {
  name: string;
  title: string;
  note?: string | undefined;
  children: preact.ComponentChildren;
}

/** One framed part of the closer look. */
export function Panel({ name, title, note, children }: PanelProps) {
  return (
    <section class="panel" data-panel={name}>
      <h3>
        {title} {note ? <small>{note}</small> : null}
      </h3>
      {children}
    </section>
  );
}

/** A name, its value, and a bar where the value is a part of a whole. */
export function Row({ label, value, part }: { label: string; value: string; part?: number | undefined }) {
  return (
    <div class="row">
      <span class="row-label" title={label}>
        {label}
      </span>
      <span class="row-value">{value}</span>
      {part === undefined ? null : <Bar ratio={part} />}
    </div>
  );
}
