/** Keys and list positions from the root of a configuration down. */
export type Path = readonly (string | number)[];

/** Where a value comes from; flags win over the environment, the environment over the file. */
export interface Origin {
  from: 'default' | 'file' | 'environment' | 'flag';
  /** `ericht.yaml:12`, `ERICHT_PATH__PROCFS`, `--path.procfs`; empty for a default. */
  where: string;
}
