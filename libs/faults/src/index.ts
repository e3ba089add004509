export { followSwitches } from './follow-switches.ts';
