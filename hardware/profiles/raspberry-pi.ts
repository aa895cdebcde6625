import type { BoardProfile, I2cActivation } from './profile.ts';

/**
 * Source: raspi-config, do_i2c: 0 means on; it sets dtparam=i2c_arm=on, loads i2c-dev now and at each boot, and loads
 * the parameter into the running device tree, so that no restart is needed.
 */
const RASPBERRY_PI_OS: I2cActivation = {
  system: 'Raspberry Pi OS',
  command: 'raspi-config nonint do_i2c 0',
  needsReboot: false,
};

/** Source: documentation of config.txt; i2c-dev has to be loaded beside it where raspi-config isn't there to do so. */
const OTHER_SYSTEMS: I2cActivation = {
  system: 'other systems for the Raspberry Pi',
  file: '/boot/firmware/config.txt',
  line: 'dtparam=i2c_arm=on',
  needsReboot: true,
  note: 'above the first dtoverlay line; i2c-dev belongs into /etc/modules',
};

const COMMON = {
  // Source: documentation of the GPIO header; the alias i2c_arm is bus 1 on both boards.
  headerI2c: { bus: 1, sdaPin: 3, sclPin: 5 },
  i2cActivation: [RASPBERRY_PI_OS, OTHER_SYSTEMS],
  // Source: kernel driver raspberrypi-hwmon (rpi_volt), vcgencmd get_throttled.
  throttling: 'raspberry-pi-firmware',
  supplyVolts: 5,
} as const satisfies Partial<BoardProfile>;

/** Source: documentation, "boot folder": under /boot/firmware since Bookworm; cmdline.txt is one single line. */
const BOOT_FILES = { 'Raspberry Pi OS': ['/boot/firmware/config.txt', '/boot/firmware/cmdline.txt'] };

export const RASPBERRY_PI_4: BoardProfile = {
  ...COMMON,
  id: 'raspberry-pi-4',
  name: 'Raspberry Pi 4',
  model: /\bRaspberry Pi 4\b/,
  storage: { sdCards: ['/dev/mmcblk0'], bootFiles: BOOT_FILES },
  // Source: kernel8.img of Raspberry Pi OS is built with 4 KiB pages.
  pageSizesBytes: [4096],
  // Source: documentation, "USB-C power (5V 3A (15W))".
  maxWatts: 15,
  unproved: ['storage.sdCards'],
};

export const RASPBERRY_PI_5: BoardProfile = {
  ...COMMON,
  id: 'raspberry-pi-5',
  name: 'Raspberry Pi 5',
  model: /\bRaspberry Pi 5\b/,
  storage: { sdCards: ['/dev/mmcblk0'], nvme: '/dev/nvme0n1', bootFiles: BOOT_FILES },
  // Source: bookworm-feedback #107: kernel_2712.img has 16 KiB pages; kernel=kernel8.img in config.txt gives 4 KiB.
  pageSizesBytes: [16_384, 4096],
  // Source: the maker's 27 W supply, 5.1 V and 5 A.
  maxWatts: 27,
  unproved: ['storage.sdCards', 'storage.nvme'],
};
