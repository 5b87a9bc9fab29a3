/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/cli.h"

int main(int argc, char **argv) { return cli_run(argc, argv); }
