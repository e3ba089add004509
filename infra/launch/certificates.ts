/** `node infra/launch/certificates.ts <folder> <name>...`: a development CA and one certificate a name. */
import { createDevelopmentCa } from '@cloakroom/mesh';

const [dir, ...names] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: certificates.ts <folder> <name>...');
await createDevelopmentCa(dir, names);
