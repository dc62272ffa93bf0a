"""python -m bert_tf.launch"""

from bert_tf.command_line import run_command
from bert_tf.launch.command import PROG, main

if __name__ == "__main__":
    run_command(PROG, main)
