"""The Linux system calls that Python has no door to, through ctypes: x86-64 and 64-bit Arm.

Python 3.12 brings ``os.unshare``; mounting, Landlock, capabilities and seccomp have no standard door in any
version. The packages that offer them were weighed: ``landlock`` is alpha and knows neither the network nor the
signal rules, ``pyseccomp`` (last release 2021) needs the system's libseccomp, which pip cannot install.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform

MACHINES = ("x86_64", "aarch64")

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "capset": (126, 91),
    "pivot_root": (155, 41),
    "mount_setattr": (442, 442),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277),
    # Sockets.
    "socket": (41, 198),
    "socketpair": (53, 199),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # Processes.
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Namespaces and mounts.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    # Files: what neither Landlock nor a read-only mount covers.
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "truncate": (76, 45),
    "fallocate": (285, 47),  # behind a file's end it takes what no limit on file size counts
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # Memory that outlives its mapping or that no limit counts.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # The kernel itself.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
}
"""System call -> its number on x86-64 and on Arm; None where the machine has no such call."""

AT_FDCWD = -100

NEWEST_NUMBER = 456
"""The last system call that was looked at (futex_requeue, Linux 6.7); from 424 on both machines count alike."""


def number(name: str) -> int | None:
    """The number of a system call on this machine, or None where there is no such call.

    Raises:
        OSError: this machine is not one of `MACHINES` with Linux.
    """
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in MACHINES:
        raise OSError(f"{platform.system()} on {machine} is not supported, only Linux on {' or '.join(MACHINES)}")
    return NUMBERS[name][MACHINES.index(machine)]


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int | bytes | ctypes.Structure | ctypes.Array[ctypes.c_char] | None) -> int:
    """Makes a system call: integers go as 64-bit words, bytes and structures as pointers, None as the null pointer.

    Raises:
        OSError: it failed, or this machine does not have it; the message names the call.
    """
    code = number(name)
    if code is None:
        raise OSError(f"{name}: no such call on this machine")
    words = [
        ctypes.c_long(x) if isinstance(x, int) else ctypes.byref(x) if isinstance(x, ctypes.Structure) else x
        for x in arguments
    ]
    syscall = _libc().syscall
    syscall.restype = ctypes.c_long
    result: int = syscall(ctypes.c_long(code), *words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def prctl(option: int, *arguments: int) -> int:
    """Process control: `call` for ``prctl``, whose missing arguments must be zero."""
    return call("prctl", option, *(*arguments, 0, 0, 0, 0)[:4])
