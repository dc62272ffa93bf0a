#!/usr/bin/env bash
# Trains by one worker on each node, and queues itself again where that helps. Flags are those of `train`; the run folder
# has to be on a disk that all nodes see:
#
#   sbatch --nodes=4 export/cluster/slurm.sh --task=sst2 --data=/shared/SST-2 --run=/shared/runs/sst2
#
#SBATCH --job-name=bert-train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

most_restarts=50

trap : TERM # it is for the workers, which save a checkpoint; this script sees how they end
srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --distribution=block --kill-on-bad-exit=0 --wait=0 --label \
    python -m bert_tf.launch --from=slurm -- train "$@"
status=$?

# 75: run me again. SIGTERM came and a checkpoint is saved, or a worker has ended; over 128: one was killed.
if ((status == 75 || status > 128)) && ((${SLURM_RESTART_COUNT:-0} < most_restarts)); then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
