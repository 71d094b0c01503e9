#!/bin/sh
# Makes the package that install.sh installs: cigale-RELEASE-linux-ARCH.tar.gz, with Node.js and every library, for machines of
# this one's architecture. Run it in a checkout after `npm ci`. No network, no root.
#   deploy/pack.sh [FOLDER FOR THE PACKAGE]
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH" LC_ALL=C

[ -f dist/src/main.js ] || { echo "pack.sh: nothing is built: run npm ci, then npm run build" >&2; exit 66; }
arch=$(node -p process.arch)
[ -x "node_modules/node-linux-$arch/bin/node" ] || { echo "pack.sh: node_modules has no Node.js for $arch: run npm ci" >&2; exit 66; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Libraries that the lock file does not call development ones. One that is installed in another's folder has a line of its own.
node -p "Object.entries(require('./package-lock.json').packages).filter(([path, {dev}]) => path !== '' && !dev).map(([path]) => path).join('\n')" |
  while read -r folder; do
    [ -d "$folder" ] || continue
    case $folder in node_modules/node-linux-*) [ -d "$folder/bin" ] && find "$folder/bin" "$folder/LICENSE" "$folder/package.json" -type f 2>/dev/null; continue ;; esac
    find "$folder" -mindepth 1 -name node_modules -prune -o \( -type f -o -type l \) -print
  done >"$stage/list"
# Every helper file that a program may need, none that only this checkout has.
find dist docs examples flows deploy \( -type f -o -type l \) ! -name '*.tsbuildinfo' >>"$stage/list"
for file in package.json README.md LICENSE CHANGELOG.md; do echo "$file" >>"$stage/list"; done
sort -u -o "$stage/list" "$stage/list"

# Equal contents give an equal name, so that installing twice changes nothing.
digest=$(tr '\n' '\0' <"$stage/list" | xargs -0 sha256sum | sha256sum | cut -c1-8)
release=$(node -p "require('./package.json').version")-$digest
name=cigale-$release-linux-$arch
mkdir -p "$stage/$name/bin"
tar -cf - --no-recursion -T "$stage/list" | tar -xf - -C "$stage/$name"
ln -s "../node_modules/node-linux-$arch/bin/node" "$stage/$name/bin/node"
echo "$release" >"$stage/$name/RELEASE"

out=${1:-.}
mkdir -p "$out"
tar -C "$stage" --owner=0 --group=0 -czf "$out/$name.tar.gz" "$name"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
