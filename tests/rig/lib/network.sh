# Gives one engine a bridge of its own and the few firewall rules its containers need,
# so that it can run beside any other engine. Sourced by `rig`; needs `say` and `die`.
#
# The engine itself is told to leave the firewall alone: what it adds, it never removes.

# Two rigs with different homes must not share a bridge.
bridge_name() { printf 'cpk%s' "$(printf '%s %s' "$RIG_HOME" "$1" | sha256sum | cut -c1-8)"; }

# network_mode ENGINE: what to say after --network, in `docker build` and `docker run` alike:
# `default`, or `host` where containers must use the machine's own network.
network_mode() {
	if ip link show "$(bridge_name "$1")" >/dev/null 2>&1; then printf default; else printf host; fi
}

# bridge_up ENGINE: fails where the machine allows no bridge or no address translation.
bridge_up() {
	local bridge subnet
	bridge=$(bridge_name "$1")
	bridge_down "$1"
	subnet=$(free_subnet) || return 1
	printf '%s\n' "$subnet" >"$RIG_HOME/run/$bridge.subnet"
	{
		ip link add "$bridge" type bridge &&
			ip address add "$subnet.1/24" dev "$bridge" &&
			ip link set "$bridge" mtu "$(uplink_mtu)" up &&
			bridge_rules -A "$bridge" "$subnet"
	} >>"$RIG_HOME/log/network.log" 2>&1 || {
		bridge_down "$1"
		return 1
	}
}

bridge_down() {
	local bridge subnet
	bridge=$(bridge_name "$1")
	if read -r subnet 2>/dev/null <"$RIG_HOME/run/$bridge.subnet"; then
		bridge_rules -D "$bridge" "$subnet" >>"$RIG_HOME/log/network.log" 2>&1 || true
	fi
	ip link delete "$bridge" 2>/dev/null || true
	rm -f "$RIG_HOME/run/$bridge.subnet"
}

# bridge_rules -A|-D BRIDGE SUBNET: adds or takes away; takes all away even if one is gone.
bridge_rules() {
	local status=0 forward=-I
	[ "$1" = -A ] || forward=-D
	iptables -w 10 -t nat "$1" POSTROUTING -s "$3.0/24" ! -o "$2" -j MASQUERADE || status=1
	iptables -w 10 "$forward" FORWARD -i "$2" -j ACCEPT || status=1
	iptables -w 10 "$forward" FORWARD -o "$2" -j ACCEPT || status=1
	return "$status"
}

free_subnet() {
	local last taken
	taken=$(ip -4 -o address show; ip -4 route show)
	for last in {200..239}; do
		case $taken in *"172.30.$last."*) ;; *)
			printf '172.30.%s' "$last"
			return
			;;
		esac
	done
	return 1
}

# Packets larger than the machine's own link carries would be lost without a word.
uplink_mtu() {
	local device
	device=$(ip -4 route show default | sed -nE '1s/.* dev ([^ ]+).*/\1/p')
	cat "/sys/class/net/$device/mtu" 2>/dev/null || printf 1500
}
