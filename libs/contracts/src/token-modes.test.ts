import { expect, it } from 'vitest';
import { TokenMode } from './gen/cloakroom/auth/v1/auth_pb.ts';
import { isSelfContained, selfContainedModes, tokenModeNameOf, tokenModeNames, tokenModeOf } from './token-modes.ts';

it('every mode of the wire except UNSPECIFIED has one name, and the name gives that mode back', () => {
  const modes = Object.values(TokenMode).filter((mode) => typeof mode === 'number' && mode !== TokenMode.UNSPECIFIED) as TokenMode[];
  expect(modes).toHaveLength(tokenModeNames.length);
  expect(new Set(modes.map((mode) => tokenModeNameOf[mode]))).toEqual(new Set(tokenModeNames));
  expect(tokenModeNames.map((name) => tokenModeNameOf[tokenModeOf[name]])).toEqual(tokenModeNames);
});

it('a mode that this version does not know has no name', () => {
  expect([tokenModeNameOf[TokenMode.UNSPECIFIED], tokenModeNameOf[99 as TokenMode]]).toEqual([undefined, undefined]);
});

it('the self-contained modes are those whose session the browser carries', () => {
  expect(tokenModeNames.filter(isSelfContained)).toEqual(selfContainedModes);
});
