export interface Mount {
  device: string;
  path: string;
  type: string;
}

/** Images that are full by nature, mounted through a loop device. */
const READ_ONLY_IMAGES = new Set(['squashfs', 'iso9660', 'erofs', 'cramfs', 'udf']);

/**
 * The file systems that can fill up, from a mounts file of the kernel: those on a device of this machine, ZFS, and the
 * root of a container. Network file systems are left out: asking one whose server is gone blocks a thread for minutes.
 * Of several mounts of one device (bind mounts, subvolumes) the one with the shortest path stays.
 */
export function realMounts(text: string): Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device, path, type] = line.split(' ').map(unescapeOctal);
    if (!device || !path || !type || !isReal(device, path, type)) continue;
    const known = byDevice.get(device);
    if (!known || path.length < known.path.length) byDevice.set(device, { device, path, type });
  }
  return [...byDevice.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function isReal(device: string, path: string, type: string): boolean {
  if (READ_ONLY_IMAGES.has(type)) return false;
  return device.startsWith('/dev/') || type === 'zfs' || (type === 'overlay' && path === '/');
}

/** The kernel writes space, tab, newline and backslash as \040 and so on. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
