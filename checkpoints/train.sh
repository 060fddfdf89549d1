#!/bin/sh
# Retrains every checkpoint of this folder into it. Usage: sh checkpoints/train.sh .venv/bin
set -eu
bin=${1:-.venv/bin}
here=$(dirname "$0")
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

train() {
    name=$1
    shift
    "$bin/interp-train" --out "$runs/$name" "$@"
    cp "$runs/$name/model.pt" "$here/$name.pt"
}

train quick-113 --recipe steady --seed 2
train zhong-59-rate-0 --recipe zhong-2023 --seed 0 --network.attention-rate 0 --steps 5000
train zhong-59-rate-1 --recipe zhong-2023 --seed 0 --network.attention-rate 1 --steps 5000
train untrained-113 --recipe steady --seed 0 --steps 0
train memorising-59 --recipe zhong-2023 --seed 0 --train-fraction 0.2 --steps 300

train nanda-113 --recipe nanda-2023 --seed 0 --steps 14000 --snapshots --threads 1
cp "$runs/nanda-113/log.jsonl" "$here/nanda-113.log.jsonl"
for step in 0 1400 5000 9400; do
    cp "$runs/nanda-113/snapshots/step-$(printf %06d $step).pt" "$here/nanda-113-step-$step.pt"
done

mkdir -p "$here/operations"
train operations/division-97 --recipe steady --task division --p 97 --train-fraction .3 --steps 6000 --threads 1
train operations/multiplication-97 --recipe steady --task multiplication --p 97 --train-fraction .3 --steps 6000 --threads 1
train operations/squares-97 --recipe steady --task "a^2+b^2" --p 97 --train-fraction .3 --steps 6000 --threads 1
train operations/s5 --recipe steady --task S5 --train-fraction .5 --steps 5000 --threads 1
train operations/d13 --recipe steady --task D13 --train-fraction .8 --steps 6000 --threads 1

mkdir -p "$here/corruption"
train corruption/coexistence-97 --recipe doshi-2023 --corrupt .35 --weight-decay 0 --steps 1000 --threads 1
train corruption/inverted-97 --recipe doshi-2023 --corrupt .35 --weight-decay 15 --steps 1000 --threads 1
