/**
 * What a new profile of a Chromium is told, beside its switches: no suggestions, no guesses, no offers.
 *
 * Source: Chromium's chrome/common/pref_names.h.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PREFERENCES = {
  alternate_error_pages: { enabled: false },
  autofill: { profile_enabled: false, credit_card_enabled: false },
  browser: { check_default_browser: false, has_seen_welcome_page: true },
  credentials_enable_service: false,
  dns_prefetching: { enabled: false },
  net: { network_prediction_options: 2 },
  ntp: { shortcuts_visible: false },
  profile: { password_manager_enabled: false },
  safebrowsing: { enabled: false, enhanced: false },
  search: { suggest_enabled: false },
  signin: { allowed: false, allowed_on_next_startup: false },
  translate: { enabled: false },
};

export async function fillChromiumProfile(profile: string): Promise<void> {
  const folder = join(profile, 'Default');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'Preferences'), JSON.stringify(PREFERENCES));
}
