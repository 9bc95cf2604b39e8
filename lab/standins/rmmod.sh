#!/bin/sh
# rmmod asks the kernel itself, which knows nothing of the lab's modules: those go the way of modprobe.
for module do
    case $module in
        nvidia | nvidia[-_]* | nouveau) /usr/lib/gpufleet-lab/kernel-module unload "$module" || exit 1 ;;
        *) exec /usr/sbin/rmmod "$@" ;;
    esac
done
