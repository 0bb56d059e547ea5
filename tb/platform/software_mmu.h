/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before all else where model/system is compiled for the platform: the guest kernel, the
 * hypervisor and the paging modes then drive the platform's MMU, by transactions of the platform's
 * core, where the command's runs drive the C model by function calls. These are all functions by
 * which model/system drives an MMU; software.cpp has them.
 */
#ifndef NESTWALK_TB_SOFTWARE_MMU_H
#define NESTWALK_TB_SOFTWARE_MMU_H

#define nw_mmu_create nw_software_mmu_create
#define nw_mmu_destroy nw_software_mmu_destroy
#define nw_mmu_write_register nw_software_mmu_write_register
#define nw_mmu_set_agile nw_software_mmu_set_agile
#define nw_mmu_set_nested_paging nw_software_mmu_set_nested_paging
#define nw_mmu_regime nw_software_mmu_regime
#define nw_mmu_invalidate nw_software_mmu_invalidate
#define nw_mmu_translate nw_software_mmu_translate
#define nw_mmu_translate_run nw_software_mmu_translate_run
#define nw_mmu_statistics nw_software_mmu_statistics
#define nw_mmu_reset_statistics nw_software_mmu_reset_statistics

/* The run loop calls software.cpp's function of this name, which calls model/system's. */
#define nw_machine_create nw_software_machine_create

#endif
