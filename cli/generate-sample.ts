import { writeFileSync } from 'node:fs';
import { configJsonSchema, sampleConfig } from './sample.ts';

/** Writes ericht.sample.yaml and ericht.schema.json; a test compares what is checked in with what the schema makes. */
writeFileSync(new URL('../ericht.sample.yaml', import.meta.url), sampleConfig());
writeFileSync(new URL('../ericht.schema.json', import.meta.url), configJsonSchema());
