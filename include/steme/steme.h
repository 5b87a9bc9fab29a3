/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * StemeDB's whole public interface.
 */
#ifndef STEME_STEME_H
#define STEME_STEME_H

#include "steme/lens.h"
#include "steme/limits.h"
#include "steme/query.h"
#include "steme/shift.h"
#include "steme/status.h"
#include "steme/store.h"
#include "steme/text.h"
#include "steme/types.h"
#include "steme/view.h"

#endif
