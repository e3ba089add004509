/** The changes that a new service makes in files about all services. Each edit is a function of the file's text and the service's name. */

/** Storage has its ports from here on (infra/stack/stack.ports.ts). */
const offsetMax = 200;
const offsetStep = 10;

type Edit = (text: string, name: string) => string;

/** @throws where the file no longer looks as this edit expects */
function replaceOnce(text: string, pattern: RegExp, by: (match: string, ...groups: string[]) => string): string {
  if (!pattern.test(text)) throw new Error(`the generator does not find ${pattern} any more: mend tools/service/edits.ts`);
  return text.replace(pattern, by);
}

interface Manifest {
  readonly exports?: unknown;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly nx?: { readonly tags?: readonly string[]; readonly targets?: Record<string, object> };
}
const toJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const sorted = (entries: Record<string, string>) => Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The packages of catalog that every service needs. */
const needed = /^(?:@cloakroom\/(?!testing)|@nestjs\/|@bufbuild\/|reflect-metadata$|rxjs$|zod$)/;

/** @param catalog the package.json of a service that is there, for the versions and the targets */
export function manifestOf(name: string, catalog: string): string {
  const { dependencies = {}, devDependencies = {}, nx = {}, ...rest } = JSON.parse(catalog) as Manifest;
  const kept = (all: Record<string, string>) => Object.fromEntries(Object.entries(all).filter(([each]) => needed.test(each)));
  const targets = Object.fromEntries(Object.keys(nx.targets ?? {}).map((target) => [target, {}]));
  return toJson({
    ...rest,
    name: `@cloakroom/${name}`,
    exports: { '.': { source: `./src/${name}.module.ts`, types: `./dist/${name}.module.d.ts`, default: `./dist/${name}.module.js` } },
    dependencies: kept(dependencies),
    devDependencies: kept(devDependencies),
    nx: { ...nx, targets },
  });
}

const contracts: Edit = (text, name) => `${text.trimEnd()}\nexport * from './gen/cloakroom/${name}/v1/${name}_pb.ts';\n`;

const place: Edit = (text, name) =>
  replaceOnce(text, /(export const serviceOffsets = \{[^}]*?)(\d+),\n\} as const;/, (_, before, last) => {
    const offset = Number(last) + offsetStep;
    if (offset > offsetMax) throw new Error('every ten of ports is taken: give storage higher ones in infra/stack/stack.ports.ts first');
    return `${before}${last},\n  ${name}: ${offset},\n} as const;`;
  });

const door: Edit = (text, name) =>
  replaceOnce(
    text,
    /\n {2}gateway: async \(\) => open\(/,
    (match) => `\n  ${name}: async () => open(await import('@cloakroom/${name}')),${match}`,
  );

const infraNeeds: Edit = (text, name) => {
  const manifest = JSON.parse(text) as Manifest;
  return toJson({ ...manifest, dependencies: sorted({ ...manifest.dependencies, [`@cloakroom/${name}`]: '0.1.0' }) });
};

const built: Edit = (text, name) => {
  const config = JSON.parse(text) as { readonly references: readonly { readonly path: string }[] };
  return toJson({ ...config, references: [...config.references, { path: `apps/${name}` }] });
};

const typeChecked: Edit = (text, name) => replaceOnce(text, / {4}"apps\/profile\/src",\n/, (match) => `${match}    "apps/${name}/src",\n`);

const audience: Edit = (text, name) =>
  replaceOnce(text, /(audiences: ReadonlySet<string> = new Set\(\[[^\]]*)\]/, (_, before) => `${before}, '${name}']`);

const image: Edit = (text, name) => {
  const copies = replaceOnce(text, /COPY apps\/profile\/package\.json .*\n/, (match) => match + match.replaceAll('profile', name));
  const workspaces = replaceOnce(copies, / --workspace apps\/profile\b/, (match) => `${match} --workspace apps/${name}`);
  const output = replaceOnce(
    workspaces,
    /COPY --from=build \/app\/apps\/profile\/dist .*\n/,
    (match) => match + match.replaceAll('profile', name),
  );
  return replaceOnce(output, / \/handout\/profile\b/, (match) => `${match} /handout/${name}`);
};

/** An attack tries each passport at each service: the new one must refuse those of the others. */
const attacked: Edit = (text, name) => {
  const Name = name[0]!.toUpperCase() + name.slice(1);
  const path = `/cloakroom.${name}.v1.${Name}Service/Get${Name}`;
  return replaceOnce(
    text,
    /(const doors: Readonly<Record<ServiceName, string>> = \{[^}]*)\};/,
    (_, before) => `${before}  ${name}: '${path}',\n};`,
  );
};

/** The table of ports follows the offsets: the last service's row, ten higher. */
const portsTold: Edit = (text, name) =>
  replaceOnce(text, /((?:\| \w+ +\| 4(?:1\d|20)0, 4(?:1\d|20)1 +\|\n)+)/, (rows) => {
    const last = rows.trimEnd().split('\n').at(-1)!;
    const [, port = ''] = /\| (\d+), /.exec(last) ?? [];
    return `${rows}| ${name} | ${Number(port) + offsetStep}, ${Number(port) + offsetStep + 1} |\n`;
  });

export const edits: Readonly<Record<string, Edit>> = {
  'libs/contracts/src/index.ts': contracts,
  'infra/stack/stack.ports.ts': place,
  'infra/embedded.ts': door,
  'infra/package.json': infraNeeds,
  'infra/Dockerfile': image,
  'apps/auth/src/tokens/passports.ts': audience,
  'labs/attacks/cross-service.native.e2e.ts': attacked,
  'docs/deploy.md': portsTold,
  'tsconfig.json': built,
  'tsconfig.tests.json': typeChecked,
};
