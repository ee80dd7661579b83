// Pushes the sample images to the registry of compose.yaml's demo, and ends.

import { createLogger } from "@drydock/shared/logger.ts";
import { sampleImages } from "../images/sample-images.ts";
import { writer } from "../registry/accounts.ts";
import { pushImages } from "../registry/push-image.ts";

const { SAMPLE_IMAGES_REGISTRY_URL: url = "http://127.0.0.1:5000" } = process.env;
const logger = createLogger({ name: "sample-images" });
const images = sampleImages();
await pushImages({ url, ...writer }, images);
const names = images.map(({ repository, tag }) => `${repository}:${tag}`);
logger.info({ images: names }, `pushed ${images.length} sample images`);
