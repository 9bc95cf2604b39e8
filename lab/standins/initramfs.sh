#!/bin/sh
# Stands in for update-initramfs and dracut: an image for the kernel that runs, which holds what modprobe is told.
# `update-initramfs -u`, `dracut --force` and the like all come to this; without such an option nothing is written.
release=$(uname -r)
case $(basename "$0") in
    dracut) image=/boot/initramfs-$release.img ;;
    *) image=/boot/initrd.img-$release ;;
esac
for option do
    case $option in
        -u | -c | -f | --force | --regenerate-all)
            cat /dev/null /etc/modprobe.d/*.conf > "$image" 2>/dev/null
            echo "$(basename "$0"): Generating $image"
            exit 0 ;;
    esac
done
echo "usage: $(basename "$0") -u|-c [-k RELEASE|all], or --force" >&2
exit 1
