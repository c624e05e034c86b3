using System.Globalization;
using System.Security.Cryptography;
using Sentiric.Testing.Postgres;

namespace Sentiric.Testing.Platform;

/// <summary>What a test's platform is made of; the defaults are one process with all roles and a fresh, seeded database.</summary>
public sealed record PlatformOptions
{
    /// <summary>Added to the environment, by setting name: <c>Media__TimeoutSeconds</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Connection string as the host sees it, given that of the fresh database; lets a test stand in between.</summary>
    public Func<string, string> ThroughPostgres { get; init; } = own => own;

    /// <summary>A process for each role. Needs <see cref="Rabbit"/> and <see cref="Redis"/>.</summary>
    public bool Split { get; init; }

    /// <summary>amqp:// address; absent: the bus in memory.</summary>
    public string? Rabbit { get; init; }

    public string? Redis { get; init; }
}

/// <summary>
/// The real host in its own process (or one process for each role), on free loopback ports, with its own database and folders.
/// Disposing stops it and throws everything away.
/// </summary>
public sealed class RunningPlatform : IAsyncDisposable
{
    public const string PhonePassword = "sesli-harfler-8";
    private static readonly string[] Roles = ["gateway", "write", "read", "sip", "media", "agent", "stt", "tts"];
    private const int LogTailChars = 4_000;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-platform-").FullName;
    private readonly string key = Guid.NewGuid().ToString("N");
    private readonly PlatformOptions options;
    private readonly string database;
    private readonly Dictionary<string, int> httpPorts;
    private readonly Dictionary<string, HostProcess> running = [];

    private RunningPlatform(PlatformOptions options, string database)
    {
        (this.options, this.database) = (options, database);
        httpPorts = (options.Split ? Roles : ["all"]).ToDictionary(role => role, _ => FreePorts.Next());
        SipPort = FreePorts.Next();
        Api = new PlatformApi(Url, key, LogTail);
        File.WriteAllText(Path.Combine(folder, "api-key"), key);
        File.WriteAllText(Path.Combine(folder, "master-key"), "first:" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
    }

    /// <summary>UDP and TCP on 127.0.0.1.</summary>
    public int SipPort { get; }

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{httpPorts[options.Split ? "gateway" : "all"]}/"));

    public PlatformApi Api { get; }

    public string ApiKey => key;

    /// <summary>Straight to the database, past whatever stands between it and the host.</summary>
    public string Database => database;

    public string RecordingFolder => Path.Combine(folder, "recordings");

    /// <summary>Starts and waits for /health/ready of every process.</summary>
    public static async Task<RunningPlatform> StartAsync(PlatformOptions? options = null)
    {
        var platform = new RunningPlatform(options ?? new PlatformOptions(), await PostgresInstance.GetAsync().ConfigureAwait(false));
        try
        {
            await platform.StartAgainAsync().ConfigureAwait(false);
            return platform;
        }
        catch
        {
            await platform.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts whatever does not run, on the same ports and data.</summary>
    public async Task StartAgainAsync()
    {
        foreach (var role in httpPorts.Keys.Where(r => !running.ContainsKey(r)))
        {
            running[role] = HostProcess.Start(role, Environment(role), LogFile(role));
        }

        await Task.WhenAll(running.Select(r => r.Value.WaitReadyAsync(UrlOf(r.Key), StartLimit))).ConfigureAwait(false);
    }

    /// <summary>SIGKILL for every process.</summary>
    public async Task KillAsync()
    {
        foreach (var process in running.Values)
        {
            await process.KillAsync().ConfigureAwait(false);
        }

        running.Clear();
    }

    /// <summary>SIGTERM for every process; gives their exit codes.</summary>
    public async Task<IReadOnlyList<int>> StopAsync()
    {
        var codes = await Task.WhenAll(running.Values.Select(p => p.StopAsync())).ConfigureAwait(false);
        running.Clear();
        return codes;
    }

    /// <summary>UDP sockets that the platform's processes hold now.</summary>
    public int UdpSockets() => running.Values.Sum(p => p.UdpSockets());

    /// <summary>Everything that the host wrote so far.</summary>
    public string Log() => string.Concat(httpPorts.Keys.Select(role => HostProcess.ReadShared(LogFile(role))));

    private string LogTail() => Log() is { Length: > LogTailChars } long_ ? long_[^LogTailChars..] : Log();

    /// <summary>The environment that starts this platform's host, to start a second one that goes wrong.</summary>
    public IReadOnlyDictionary<string, string> Environment(string role)
    {
        var settings = new Dictionary<string, string>(SpeechFiles.Settings())
        {
            ["Urls"] = UrlOf(role).ToString(),
            ["ConnectionStrings__Postgres"] = options.ThroughPostgres(database),
            ["Sip__Listen"] = string.Create(CultureInfo.InvariantCulture, $"udp://127.0.0.1:{SipPort},tcp://127.0.0.1:{SipPort}"),
            ["Media__PortRange"] = "0",
            ["Recording__Folder"] = RecordingFolder,
            ["Gateway__AdminKeyFile"] = Path.Combine(folder, "api-key"),
            ["Privacy__MasterKeyFile"] = Path.Combine(folder, "master-key"),
            ["Demo__Seed"] = "true",
            ["Demo__PhonePassword"] = PhonePassword,
        };
        AddServers(settings);
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings;
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await KillAsync().ConfigureAwait(false);
        await PostgresInstance.DropAsync(database).ConfigureAwait(false);
        Directory.Delete(folder, recursive: true);
    }

    private void AddServers(Dictionary<string, string> settings)
    {
        if (options.Rabbit is { } rabbit)
        {
            settings["ConnectionStrings__Rabbit"] = rabbit;
        }

        if (options.Redis is { } redis)
        {
            settings["ConnectionStrings__Redis"] = redis;
        }

        if (options.Split)
        {
            settings["Services__Key"] = key;
            foreach (var role in Roles)
            {
                settings["Services__" + char.ToUpperInvariant(role[0]) + role[1..]] = UrlOf(role).ToString();
            }
        }
    }

    private Uri UrlOf(string role) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{httpPorts[role]}/"));

    private string LogFile(string role) => Path.Combine(folder, role + ".log");
}
