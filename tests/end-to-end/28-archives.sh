#!/usr/bin/env bash
# Archives of Debian packages that a configuration names: one made here and signed with a key of its
# own. It is asked, believed by that key alone, and packages come from it that name no address.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
# The rig installs gpg.
for program in gpg gpgv dpkg-deb xz umoci; do
	command -v "$program" >/dev/null || { echo "skipped: there is no $program on PATH" && exit 77; }
done
architecture=$(dpkg --print-architecture)
export COGPACK_STORE=$work/store COGPACK_APT=$work/apt
unset COGPACK_DEBS

# package NAME DEPENDS: adds one that holds a file to the archive.
suite=$work/web/debian/dists/own
mkdir -p "$work/web/debian/pool" "$suite/main/binary-$architecture" "$work/apt/sources.list.d"
package() {
	local root=$work/packages/$1 deb=pool/$1_1.0_all.deb
	mkdir -p "$root/DEBIAN" "$root/usr/share"
	printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: one of ours\n%s' "$1" "$2" \
		>"$root/DEBIAN/control"
	printf 'of %s\n' "$1" >"$root/usr/share/$1"
	exits "the package $1 is made" 0 dpkg-deb --build --root-owner-group "$root" "$work/web/debian/$deb"
	{
		cat "$root/DEBIAN/control"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$work/web/debian/$deb")" \
			"$(sha256sum "$work/web/debian/$deb" | cut -d ' ' -f 1)"
	} >>"$work/Packages"
}
package asked $'Depends: needed (>= 1.0)\n'
package needed ''
package neither ''
index=main/binary-$architecture/Packages.xz
xz --stdout "$work/Packages" >"$suite/$index"
printf 'Origin: nobody\nSuite: own\nCodename: own\nArchitectures: %s\nComponents: main\nSHA256:\n %s %s %s\n' "$architecture" \
	"$(sha256sum "$suite/$index" | cut -d ' ' -f 1)" "$(stat -c %s "$suite/$index")" "$index" >"$work/Release"

# A path of gpg's own agent may have no more than 107 bytes, so its home is a short one.
export GNUPGHOME=$work/keys
mkdir -m 700 "$GNUPGHOME"
key() { gpg --batch --quiet --passphrase '' --quick-generate-key "$1" ed25519 sign never && gpg --export "$1" >"$work/$1.gpg"; }
exits 'a key is made' 0 key archive@localhost
exits 'and another one' 0 key other@localhost
exits 'the archive is signed' 0 gpg --batch --local-user archive@localhost --clearsign --output "$suite/InRelease" "$work/Release"
gpgconf --kill all
serve "$work/web"
address=http://127.0.0.1:$port/debian

named() { printf 'Types: deb\nURIs: %s\nSuites: own\nComponents: main\nSigned-By: %s\n' "$address" "$1" >"$work/apt/sources.list.d/own.sources"; }
lock() { "$cogpackc" lock debs --suite own --platform "linux/$architecture" asked >"$work/system.cpk"; }

named "$work/other@localhost.gpg"
exits 'what another key has signed is refused' 2 lock
mv "$work/output" "$work/refused"
matches 'by its signature' 'is not to be trusted' cat "$work/refused"
named "$work/archive@localhost.gpg"
exits 'the archive that is configured is asked' 0 lock
prints 'for what is wanted and what that needs' 2 grep -c ' deb "' "$work/system.cpk"
prints 'and named as the place of both' 2 grep -cF "url \"$address/pool/" "$work/system.cpk"
rm "$work/apt/sources.list.d/own.sources"
printf 'deb [signed-by=%s] %s own main\n' "$work/archive@localhost.gpg" "$address" >"$work/apt/sources.list"
mv "$work/system.cpk" "$work/first.cpk"
exits 'so is one in the older form' 0 lock
exits 'with the same answer' 0 diff "$work/first.cpk" "$work/system.cpk"

# The same packages without an address, as they are where each machine has a mirror of its own.
{
	printf 'cpk 1\nplatform linux/%s\n' "$architecture"
	sed 's| url "[^"]*"||' "$work/system.cpk"
	printf 'export from @system { cmd ["true"] }\n'
} >"$work/plan.cpk"
exits 'no address is left' 1 grep -F 'url' "$work/plan.cpk"
build() { "$cogpackc" "$work/plan.cpk" -o oci -O "$work/layout"; }
build_without() { COGPACK_APT=$work/nowhere build; }
refuses 'where no archive is configured they are not found' cpk::packages::missing build_without
exits 'nothing is made then' 1 test -e "$work/layout"
: >"$work/requests"
exits 'where one is, they are' 0 build
matches 'and come from it' '"GET /debian/.*/?asked_1.0_all.deb HTTP' cat "$work/requests"
exits 'with nothing that was not locked' 1 grep -F neither "$work/requests"
exits 'umoci unpacks the image' 0 umoci unpack --image "$work/layout:latest" "$work/unpacked"
prints 'which has the file of the one' 'of asked' cat "$work/unpacked/rootfs/usr/share/asked"
prints 'and of the other' 'of needed' cat "$work/unpacked/rootfs/usr/share/needed"
exits 'and no third' 1 test -e "$work/unpacked/rootfs/usr/share/neither"
