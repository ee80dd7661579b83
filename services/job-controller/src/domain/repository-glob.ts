export { fitsGlob, isGlob } from "@drydock/shared/repository-glob.ts";
