/** An image of static programs alone, as musl-based ones are to a build: no C library, no package manager, a shell of another kind. */
import { buildImage, type Client, Image } from "lamina";

/** Makes it from a Debian that can install. @returns its reference, by digest */
export async function busyboxBase(client: Client, debian: Image): Promise<string> {
  const tools = await buildImage(client, debian.aptInstall("busybox-static"));
  const setupDockerfileCommands = [
    `COPY --from=${tools.ref} /usr/bin/busybox /bin/busybox`,
    'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
    "COPY <<passwd <<group /etc/\nroot:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\npasswd\nada:x:1000:\ngroup",
    "ENV PATH=/bin\nRUN mkdir -p /root /usr/local && mkdir -m 1777 /tmp",
  ];
  return (await buildImage(client, Image.fromRegistry("scratch", { setupDockerfileCommands }))).ref;
}
