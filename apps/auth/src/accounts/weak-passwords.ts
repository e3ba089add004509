/**
 * Refuses new passwords that others would guess first. These are common passwords (ASVS 5.0 6.2.4, NIST SP 800-63B 3.1.1.2), and those made of public
 * facts about the account or the shop (6.2.11). Auth checks when a password is set, never at a sign-in, so existing passwords stay good.
 */
import { passwordLengthMin, problem, type Problem } from '@cloakroom/contracts';
import { commonPasswordsText } from './common-passwords.list.ts';

const common: ReadonlySet<string> = new Set(commonPasswordsText.trim().split(/\s+/));
const shopWords = ['cloakroom', 'shop'];
/** Shorter words occur in too many good passwords by chance. */
const wordLengthMin = 3;

/** @param account the account that the password is for */
export function weakPassword(password: string, account: { readonly email: string; readonly name: string }): Problem | undefined {
  const plain = password.normalize('NFKC').toLowerCase();
  const guessable = common.has(plain) || isTooLittle(withoutWords(plain, wordsOf(account)), plain);
  return guessable ? problem('weak_password') : undefined;
}

/** The rest of a password, without those words, must be a good password by itself. */
function isTooLittle(rest: string, plain: string): boolean {
  return rest !== plain && (rest.length < passwordLengthMin || common.has(rest));
}

function wordsOf({ email, name }: { readonly email: string; readonly name: string }): string[] {
  const [local = ''] = email.split('@', 1);
  const said = [local, name].map((text) => text.normalize('NFKC').toLowerCase());
  const parts = said.flatMap((text) => [text, text.replaceAll(/[^\p{L}\p{N}]/gu, ''), ...text.split(/[^\p{L}\p{N}]+/u)]);
  // The longest word comes first, since "ada" is a part of "ada.lovelace".
  return [...new Set([...parts, ...shopWords])].filter(({ length }) => length >= wordLengthMin).toSorted((a, b) => b.length - a.length);
}

const withoutWords = (plain: string, words: readonly string[]): string => words.reduce((rest, word) => rest.replaceAll(word, ''), plain);
