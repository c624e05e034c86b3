using System.Globalization;
using Sentiric.Sip;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>kamailio as the proxy in front: stateful, in the way of every request of a call by Record-Route, UDP and TCP on one port; with rtpengine in the way of the audio, too.</summary>
internal sealed class KamailioProxy : IAsyncDisposable
{
    private readonly PeerProcess process;

    private KamailioProxy(int port, PeerProcess process) => (Port, this.process) = (port, process);

    public int Port { get; }

    public string Said => process.Said;

    /// <param name="alsoTo">A second branch, which rings at the same time.</param>
    /// <param name="rtpengine">Control port of the relay that all audio goes through.</param>
    public static async Task<KamailioProxy> StartAsync(string folder, int target, SipTransportKind towardsTarget, int? alsoTo = null, int? rtpengine = null)
    {
        var port = FreePorts.Next();
        var file = Path.Combine(folder, "kamailio.cfg");
        await File.WriteAllTextAsync(file, Configuration(port, target, towardsTarget.ToString().ToLowerInvariant(), alsoTo, rtpengine));
        var process = PeerProcess.Start("kamailio", ["-DD", "-E", "-f", file, "-m", "32", "-M", "8", "-Y", folder, "-w", folder, "-P", Path.Combine(folder, "kamailio.pid")], folder);
        try
        {
            await Until.TrueAsync("kamailio to listen", () => IsListeningAsync(port), TimeSpan.FromSeconds(20), () => process.Said);
            return new(port, process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public SipUri Number(string number) => SipUri.Parse(string.Create(CultureInfo.InvariantCulture, $"sip:{number}@127.0.0.1:{Port}"));

    public ValueTask DisposeAsync() => process.DisposeAsync();

    // TCP is bound last, when the main process is about to serve.
    private static async Task<bool> IsListeningAsync(int port) => (await File.ReadAllTextAsync("/proc/net/tcp"))
        .Contains(string.Create(CultureInfo.InvariantCulture, $":{port:X4} 00000000:0000 0A"), StringComparison.Ordinal);

    private static string Configuration(int port, int target, string transport, int? alsoTo, int? rtpengine) => $$"""
        #!KAMAILIO
        debug=1
        log_stderror=yes
        children=2
        tcp_children=2
        auto_aliases=no
        listen=udp:127.0.0.1:{{port}}
        listen=tcp:127.0.0.1:{{port}}
        mpath="{{Modules()}}"
        loadmodule "tm.so"
        loadmodule "sl.so"
        loadmodule "rr.so"
        loadmodule "pv.so"
        loadmodule "maxfwd.so"
        loadmodule "textops.so"
        loadmodule "siputils.so"
        loadmodule "corex.so"
        {{(rtpengine is null ? "" : $"loadmodule \"rtpengine.so\"\nmodparam(\"rtpengine\", \"rtpengine_sock\", \"udp:127.0.0.1:{rtpengine}\")")}}

        request_route {
          if (!mf_process_maxfwd_header("10")) {
            sl_send_reply("483", "Too Many Hops");
            exit;
          }
          if (is_method("CANCEL")) {
            if (t_check_trans()) t_relay();
            exit;
          }
          if (has_totag()) {
            if (loose_route()) {
              {{(rtpengine is null ? "" : "if (is_method(\"BYE\")) rtpengine_manage();")}}
              t_relay();
              exit;
            }
            if (is_method("ACK") && t_check_trans()) {
              t_relay();
              exit;
            }
            sl_send_reply("404", "Not Here");
            exit;
          }
          t_check_trans();
          if (is_method("INVITE")) record_route();
          {{(rtpengine is null ? "" : "if (is_method(\"INVITE\")) { rtpengine_manage(\"replace-origin\"); t_on_reply(\"AUDIO\"); }")}}
          {{(alsoTo is null ? "" : $"$du = \"sip:127.0.0.1:{alsoTo};transport={transport}\"; append_branch();")}}
          $du = "sip:127.0.0.1:{{target}};transport={{transport}}";
          t_relay();
        }
        {{(rtpengine is null ? "" : "onreply_route[AUDIO] { if (has_body(\"application/sdp\")) rtpengine_manage(\"replace-origin\"); }")}}

        """;

    private static string Modules() => Directory.GetDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, "kamailio", "modules"))
        .Append("/usr/lib/kamailio/modules").FirstOrDefault(Directory.Exists) ?? throw new DirectoryNotFoundException("kamailio's modules are not under /usr/lib.");
}
