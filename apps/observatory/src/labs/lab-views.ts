/** The shapes in which the page is told of labs. Most of it their programs tell, so it stands where both may import it. */
import type { LabRunView, ListedLabView } from '@cloakroom/contracts';

export type {
  ExerciseOutcome,
  JudgedView,
  LabFindingsView,
  LabLine,
  LabResultView,
  LabRunView,
  LabRunWanted,
  LabVerdict,
  LabView,
  ListedLabView,
  TextBlock,
  TextPart,
} from '@cloakroom/contracts';

/** `GET /api/labs`. Undefined outside of a development checkout, which has no labs. */
export interface LabListView {
  readonly labs: readonly ListedLabView[] | undefined;
}

/** `GET /api/lab-run`. Undefined while none has run since the Observatory began. */
export interface LabRunAnswer {
  readonly run: LabRunView | undefined;
}
