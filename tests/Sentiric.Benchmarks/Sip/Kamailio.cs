using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Kamailio as a callee that keeps transactions (module tm) but no dialogs: 100, 180 and 200 to an INVITE, 200 to a BYE.</summary>
public static class Kamailio
{
    /// <summary>Memory that its processes share and that each has, in MB: finished transactions wait there.</summary>
    private const int SharedMb = 256, OwnMb = 16;

    private const string Config = """
        #!KAMAILIO
        debug=0
        log_stderror=yes
        children=1
        auto_aliases=no
        disable_tcp=yes
        mpath="{0}/"
        loadmodule "tm.so"
        loadmodule "sl.so"
        request_route {{
          if (method == "ACK") {{ t_check_trans(); exit; }}
          t_newtran();
          if (method == "INVITE") {{ t_reply("180", "Ringing"); }}
          t_reply("200", "OK");
          exit;
        }}
        """;

    /// <summary>Where its modules lie; null when the program came without them.</summary>
    public static string? Modules { get; } = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "kamailio", "modules")).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "tm.so")))
        : null;

    /// <summary>One process that answers, beside those that it needs for timers; the caller ends the tree.</summary>
    public static (Process Process, IPEndPoint Address) Start(string program, string modules, string folder)
    {
        var address = new IPEndPoint(IPAddress.Loopback, Sipp.FreePort());
        var config = Path.Combine(folder, "responder.cfg");
        File.WriteAllText(config, string.Format(CultureInfo.InvariantCulture, Config, modules));
        return (Sipp.Start(
            program, folder, "-DD", "-E", "-f", config, "-m", Sipp.Text(SharedMb), "-M", Sipp.Text(OwnMb), "-Y", folder, "-P", Path.Combine(folder, "pid"),
            "-l", $"udp:{address}"), address);
    }
}
