/** The Server-Timing of one answer (W3C): the session decision, what each hop cost, and what was left of the budget. */
import { formatTimings, type Timing } from '@cloakroom/mesh';

/** Entries of one answer: the header must stay far below common header limits. */
const entryCountMax = 24;

export class Timings {
  private readonly entries: Timing[] = [];

  add(entry: Timing): void {
    if (this.entries.length < entryCountMax) this.entries.push(entry);
  }

  header(): string {
    return formatTimings(this.entries);
  }
}
