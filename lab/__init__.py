"""Real systemd machines on this one, and the mirror they install from."""
