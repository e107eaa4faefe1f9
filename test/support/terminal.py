"""A program in a pseudo-terminal of its own: terminal.py COLUMNS PROGRAM ARGUMENT...

What the program writes comes out of standard output. On standard input, a line each: `columns N` makes the terminal so wide,
`key N` presses the key with that code.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def resize(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))


columns, arguments = int(sys.argv[1]), sys.argv[2:]
ready, begin = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.close(begin)
    os.read(ready, 1)
    os.execvp(arguments[0], arguments)
os.close(ready)
resize(columns)
os.write(begin, b'.')
commands = b''
sources = [terminal, 0]
while True:
    readable = select.select(sources, [], [])[0]
    if terminal in readable:
        try:
            said = os.read(terminal, 65536)
        except OSError:
            said = b''
        if said == b'':
            break
        os.write(1, said)
    if 0 in readable:
        typed = os.read(0, 65536)
        if typed == b'':
            sources.remove(0)
        *lines, commands = (commands + typed).split(b'\n')
        for line in lines:
            word, number = line.split()
            if word == b'columns':
                resize(int(number))
            else:
                os.write(terminal, bytes([int(number)]))
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
