import type { BoardProfile, I2cActivation } from './profile.ts';

/**
 * Sources: orangepi-build (boot scripts: the loader puts "rk3588-" in front of each name of `overlays`), Armbian
 * boot-rk35xx.cmd (vendor kernel) and boot-rockchip64.cmd (mainline kernel, which ships no such overlay),
 * ubuntu-rockchip #506 and #618. One overlay that fails makes the loader drop all of them without a word.
 */
function activations(overlay: string): I2cActivation[] {
  const [controller] = overlay.split('-');
  const check = `after the restart look whether /dev/i2c-${controller?.replace('i2c', '')} is there: a failing overlay drops all, silently`;
  return [
    {
      system: 'Orange Pi OS, Debian or Ubuntu of the maker',
      file: '/boot/orangepiEnv.txt',
      line: `overlays=${overlay}`,
      needsReboot: true,
      note: check,
    },
    {
      system: 'Armbian, vendor kernel',
      file: '/boot/armbianEnv.txt',
      line: `overlays=rk3588-${overlay}`,
      needsReboot: true,
      note: check,
    },
    {
      system: 'Armbian, current or edge kernel',
      file: '/boot/armbianEnv.txt',
      line: `user_overlays=${overlay}`,
      needsReboot: true,
      note: `this kernel has no such overlay: compile one with dtc -@ to /boot/overlay-user/${overlay}.dtbo first`,
    },
    {
      system: 'Ubuntu Rockchip',
      file: '/boot/firmware/ubuntuEnv.txt',
      line: `overlays=rk3588-${overlay}`,
      needsReboot: true,
      note: check,
    },
  ];
}

const BOOT_FILES = {
  'Orange Pi OS, Debian or Ubuntu of the maker': ['/boot/orangepiEnv.txt'],
  Armbian: ['/boot/armbianEnv.txt'],
  'Ubuntu Rockchip': ['/boot/firmware/ubuntuEnv.txt'],
};

const COMMON = {
  throttling: 'none',
  // Source: orangepi-build: the kernels 5.10 and 6.1 of the maker have 4 KiB pages.
  pageSizesBytes: [4096],
  // The maker's supplies are 5 V and 4 A.
  maxWatts: 20,
  supplyVolts: 5,
} as const satisfies Partial<BoardProfile>;

const UNPROVED = ['maxWatts', 'i2cActivation of Ubuntu Rockchip'];

export const ORANGE_PI_5: BoardProfile = {
  ...COMMON,
  id: 'orange-pi-5',
  name: 'Orange Pi 5',
  // Source: mainline rk3588s-orangepi-5.dts. "Orange Pi 5 Max", "5 Pro" and the like are boards with other pins.
  // The maker's own kernel calls a 5B so, too: bus, supply and boot files are the same.
  model: /\bOrange Pi 5(?! \w)(?!\w)/,
  // Source: wiringOP, physNames_5: SDA.5 and SCL.5, pins of i2c5-m3.
  headerI2c: { bus: 5, sdaPin: 3, sclPin: 5 },
  i2cActivation: activations('i2c5-m3'),
  // Source: mainline dts (mmc0 is sdmmc); kernels of the maker call the card mmcblk1 (ubuntu-rockchip #1140).
  storage: { sdCards: ['/dev/mmcblk0', '/dev/mmcblk1'], nvme: '/dev/nvme0n1', bootFiles: BOOT_FILES },
  unproved: UNPROVED,
};

export const ORANGE_PI_5B: BoardProfile = {
  ...COMMON,
  id: 'orange-pi-5b',
  name: 'Orange Pi 5B',
  model: /\bOrange Pi 5B\b/,
  // Source: ubuntu-rockchip #506: rk3588-i2c5-m3 for pins 3 and 5 of a 5B.
  headerI2c: { bus: 5, sdaPin: 3, sclPin: 5 },
  i2cActivation: activations('i2c5-m3'),
  // eMMC takes the place of the M.2 slot of the Orange Pi 5.
  storage: { sdCards: ['/dev/mmcblk0', '/dev/mmcblk1'], bootFiles: BOOT_FILES },
  unproved: [...UNPROVED, 'storage'],
};

export const ORANGE_PI_5_PLUS: BoardProfile = {
  ...COMMON,
  id: 'orange-pi-5-plus',
  name: 'Orange Pi 5 Plus',
  // Source: the maker's linux-orangepi, rk3588-orangepi-5-plus.dts, says "RK3588 OPi 5 Plus".
  model: /\bO(?:range )?Pi 5 Plus\b/,
  // Source: wiringOP: pins 3 and 5 are SDA.2 and SCL.2, pins of i2c2-m0.
  headerI2c: { bus: 2, sdaPin: 3, sclPin: 5 },
  i2cActivation: activations('i2c2-m0'),
  // Source: mainline dts: mmc0 is sdhci (eMMC), mmc1 is sdmmc.
  storage: { sdCards: ['/dev/mmcblk1'], emmc: '/dev/mmcblk0', nvme: '/dev/nvme0n1', bootFiles: BOOT_FILES },
  unproved: [...UNPROVED, 'i2cActivation: that rk3588-i2c2-m0 is shipped by each system'],
};
