import { homedir, userInfo } from 'node:os';

/** The home folder of this process's user: of HOME, else of the system's list of users; undefined if neither tells. */
export function homeFolder(): string | undefined {
  try {
    // An empty HOME is taken as it stands by homedir(), and would make every path relative.
    return homedir() || userInfo().homedir || undefined;
  } catch {
    // A container may run as a user that no list knows.
    return undefined;
  }
}
