#!/bin/sh
# rmmod asks the kernel itself, which knows nothing of the lab's modules: those go the way of modprobe.
for module do
    case $module in
        nvidia | nvidia[-_]* | nouveau)
            if [ ! -d "/sys/module/$(echo "$module" | tr - _)" ]; then
                echo "rmmod: ERROR: Module $module is not currently loaded" >&2
                exit 1
            fi
            /usr/lib/gpufleet-lab/kernel-module unload "$module" || exit 1 ;;
        *) exec /usr/sbin/rmmod "$@" ;;
    esac
done
