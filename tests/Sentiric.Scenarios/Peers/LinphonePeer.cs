using System.Globalization;
using Sentiric.Media;
using Sentiric.Sip;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>linphonec (belle-sip) driven by what one types: a WAV for a microphone, a WAV of what it hears.</summary>
internal sealed class LinphonePeer : IForeignPhone
{
    private readonly string folder;
    private readonly PeerProcess process;

    private LinphonePeer(string folder, int port, PeerProcess process) => (this.folder, Port, this.process) = (folder, port, process);

    /// <summary>UDP and TCP.</summary>
    public int Port { get; }

    public SipUri Address(string transport = "udp") => SipUri.Parse(string.Create(CultureInfo.InvariantCulture, $"sip:linphone@127.0.0.1:{Port};transport={transport}"));

    public static async Task<LinphonePeer> StartAsync(string folder, short[] wav, string? trust = null)
    {
        Directory.CreateDirectory(Path.Combine(folder, ".local", "share", "linphone"));
        WavFile.Write(Path.Combine(folder, "caller.wav"), wav);
        var port = FreePorts.Next();
        // Without the two lines about the network it sees only lo and calls nobody; what it would resolve by IPv6 does not exist here.
        await File.WriteAllTextAsync(Path.Combine(folder, "linphonerc"), $"""
            [sip]
            sip_port={port}
            sip_tcp_port={port}
            sip_tls_port={FreePorts.Next()}
            bind_address=127.0.0.1
            use_ipv6=0
            auto_net_state_mon=0
            register_only_when_network_is_up=0
            {(trust is null ? "" : "root_ca=" + trust)}
            [rtp]
            audio_rtp_port={FreePorts.Next()}
            [sound]
            echocancellation=0

            """);
        var process = PeerProcess.Start("linphonec", ["-c", Path.Combine(folder, "linphonerc")], folder, new KeyValuePair<string, string>("HOME", folder));
        var peer = new LinphonePeer(folder, port, process);
        try
        {
            await process.SaysAsync("linphonec>");
            await peer.TypeAsync("soundcard use files");
            await process.SaysAsync("Using wav files");
            await peer.TypeAsync("ipv6 disable"); // else its SDP names an address of the machine that we do not reach over loopback
            await peer.TypeAsync($"play {folder}/caller.wav");
            await peer.TypeAsync($"record {folder}/heard.wav");
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public Task TypeAsync(string command) => process.TypeAsync(command);

    public Task SaysAsync(string text, int times = 1) => process.SaysAsync(text, times);

    /// <summary>The record that it keeps; it begins anew with every change of the session.</summary>
    public short[] Heard()
    {
        var bytes = File.ReadAllBytes(Path.Combine(folder, "heard.wav")).AsSpan(44);
        return [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(bytes[..(bytes.Length & ~1)])];
    }

    public string Said => process.Said;

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
