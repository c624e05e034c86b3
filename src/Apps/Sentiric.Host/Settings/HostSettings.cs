using Sentiric.Media;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Npgsql;
using Sentiric.EventStore;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>
/// Every setting of the host, read and checked once at the start. Names are those of the environment with ':' for '__'.
/// </summary>
public sealed class HostSettings
{
    private readonly SettingsReader _read;

    public HostSettings(IConfiguration configuration, RoleSet roles)
    {
        _read = new(configuration);
        Roles = roles;
        Postgres = ConnectionString("ConnectionStrings:Postgres");
        Rabbit = RabbitAddress("ConnectionStrings:Rabbit");
        Redis = _read.Text("ConnectionStrings:Redis");
        SipListen = _read.Text("Sip:Listen") ?? "udp://127.0.0.1:5060,tcp://127.0.0.1:5060";
        SipTls = Certificates();
        SipRealm = _read.Text("Sip:Realm") ?? "sentiric";
        SipAllowedSources = _read.Networks("Sip:AllowedSources", "127.0.0.0/8,::1/128");
        Sip = new SipSettings(configuration);
        SipMaxCalls = _read.Number("Sip:MaxCalls", 500, 1, 100_000);
        MediaAddress = Address("Media:Address", IPAddress.Loopback);
        MediaPublicAddress = _read.Text("Media:PublicAddress") is null ? null : Address("Media:PublicAddress", IPAddress.None);
        if (MediaPublicAddress is null && MediaAddress.Equals(IPAddress.Any))
        {
            throw new SettingsException("Media__Address is 0.0.0.0, which in SDP would mean hold: Media__PublicAddress must say where RTP is to be sent.");
        }

        SipPublicAddress = _read.Text("Sip:PublicAddress") is null ? null : Address("Sip:PublicAddress", IPAddress.None);
        MediaPorts = PortRange("Media:PortRange", "30000-31999");
        MediaSrtp = SrtpPolicies.Parse(_read.Text("Media:Srtp") ?? "offered") ?? throw _read.Wrong("Media:Srtp", "never, offered or required is needed");
        MediaTimeoutSeconds = _read.Number("Media:TimeoutSeconds", 20, 1, 3600);
        Codecs = _read.Codecs("Media:Codecs", "PCMA,PCMU,G722");
        HoldMusic = _read.Text("Media:HoldMusic");
        ComfortNoise = _read.Switch("Media:ComfortNoise");
        Recording = new RecordingSettings(configuration);
        ModelFolder = _read.Text("Speech:ModelFolder") ?? Path.Combine(AppContext.BaseDirectory, "models");
        NativeFolder = _read.Text("Speech:NativeFolder") ?? AppContext.BaseDirectory;
        Espeak = _read.Text("Speech:Espeak") ?? "espeak-ng";
        EspeakLibraryPath = _read.Text("Speech:EspeakLibraryPath");
        EspeakDataPath = _read.Text("Speech:EspeakDataPath");
        SpeechRemote = Url("Speech:RemoteUrl");
        LlmUrl = Url("Llm:Url");
        LlmModel = _read.Text("Llm:Model") ?? "default";
        LlmKey = _read.Text("Llm:Key");
        AdminKeyFile = _read.Text("Gateway:AdminKeyFile");
        DefaultTenant = _read.Text("Gateway:DefaultTenant") ?? "demo";
        RequestsPerMinute = _read.Number("Gateway:RequestsPerMinute", 6000, 1, 1_000_000);
        SeedDemo = _read.Switch("Demo:Seed");
        ServiceKey = _read.Text("Services:Key");
        AuditEnabled = _read.Switch("Audit:Enabled", true);
        AuditKeyFile = _read.Text("Audit:KeyFile") ?? Path.Combine(Path.GetDirectoryName(AdminKeyFile) ?? AppContext.BaseDirectory, "audit-key.pem");
        AuditFormerKeyFile = _read.Text("Audit:FormerKeyFile");
        AuditAnchorFile = _read.Text("Audit:AnchorFile");
        AuditIntervalSeconds = _read.Number("Audit:IntervalSeconds", 2, 1, 3600);
        MasterKeys = Keys("Privacy:MasterKeyFile", "Privacy:MasterKeys");
        KeySchema = _read.Text("Privacy:KeySchema");
        ErasureLogYears = _read.Number("Privacy:ErasureLogYears", 3, 1, 30);
        StoreOptions = new StoreSettings(_read.Text("Store:Schema"), _read.Text("Store:Marten"), _read.Text("Store:ArchiveFolder"), _read.Switch("Store:ForeignWriters")).ToOptions();

        if (Postgres is null && (roles.Has(Role.Write) || roles.Has(Role.Read)))
        {
            throw new SettingsException("ConnectionStrings__Postgres is not set: the write and read roles keep their events there. './sentiric infra env' prints it.");
        }

        if (Rabbit is null && !roles.IsAll && NeedsBus(roles))
        {
            throw new SettingsException($"ConnectionStrings__Rabbit is not set: roles {roles} run apart from the others and talk to them over RabbitMQ.");
        }
    }

    public RoleSet Roles { get; }

    /// <summary>ConnectionStrings:Postgres.</summary>
    public string? Postgres { get; }

    /// <summary>ConnectionStrings:Rabbit, an amqp:// address; absent: the in-memory bus.</summary>
    public string? Rabbit { get; }

    /// <summary>ConnectionStrings:Redis; absent: in-memory call state.</summary>
    public string? Redis { get; }

    /// <summary>Sip:Listen, "udp://127.0.0.1:5060,tcp://127.0.0.1:5060,tls://127.0.0.1:5061".</summary>
    public string SipListen { get; }

    /// <summary>Sip:TlsCertificateFile and its key, Sip:TlsTrustFile with believed roots (absent: the machine's), Sip:TlsRequireClientCertificate.</summary>
    public SipTlsOptions? SipTls { get; }

    /// <summary>Sip:Realm of phones that register.</summary>
    public string SipRealm { get; }

    /// <summary>Sip:AllowedSources, comma separated addresses or CIDR blocks that may send calls; empty: loopback only.</summary>
    public IReadOnlyList<IPNetwork> SipAllowedSources { get; }

    /// <summary>What else the sip role is told.</summary>
    public SipSettings Sip { get; }

    /// <summary>Sip:MaxCalls, 1..100000.</summary>
    public int SipMaxCalls { get; }

    /// <summary>Media:Address that stands in the SDP.</summary>
    public IPAddress MediaAddress { get; }

    /// <summary>Media:PublicAddress that stands in the SDP instead, for hosts behind a static NAT or a port mapping.</summary>
    public IPAddress? MediaPublicAddress { get; }

    /// <summary>Sip:PublicAddress that stands in Via and Contact, likewise.</summary>
    public IPAddress? SipPublicAddress { get; }

    /// <summary>Media:PortRange "from-to", even ports for RTP; "0" lets the kernel choose.</summary>
    public (int From, int To) MediaPorts { get; }

    /// <summary>Media:Srtp: never, offered (answered when a peer offers RTP/SAVP) or required.</summary>
    public SrtpPolicy MediaSrtp { get; }

    /// <summary>Media:TimeoutSeconds without RTP after which a call ends, 1..3600.</summary>
    public int MediaTimeoutSeconds { get; }

    /// <summary>
    /// Media:Codecs, in the order of our own offers: PCMA, PCMU, G722 and opus. In answers the offerer's order rules; a trunk's Codecs choose among these. opus needs libopus on the machine:
    /// without it a warning says so and calls go without.
    /// </summary>
    public IReadOnlyList<AudioCodec> Codecs { get; }

    /// <summary>
    /// Media:ComfortNoise "true" sends our silence as comfort noise (RFC 3389) to whoever takes it: 5 packets a second for 50. False: silent frames, which every equipment understands, which keep
    /// NATs and inactivity timers quiet and the clock of the other side's jitter buffer steady.
    /// </summary>
    public bool ComfortNoise { get; }

    /// <summary>
    /// Media:HoldMusic for those who wait: a WAV file, a folder with one for each tenant (demo.wav) and default.wav for the others, or "none"; absent: a piece that the platform makes itself.
    /// </summary>
    public string? HoldMusic { get; }

    /// <summary>Where and how calls are recorded.</summary>
    public RecordingSettings Recording { get; }

    /// <summary>Speech:ModelFolder with the built-in recogniser.</summary>
    public string ModelFolder { get; }

    /// <summary>Speech:NativeFolder with libonnxruntime.so and silero_vad.onnx.</summary>
    public string NativeFolder { get; }

    /// <summary>Speech:Espeak, path of espeak-ng.</summary>
    public string Espeak { get; }

    public string? EspeakLibraryPath { get; }

    public string? EspeakDataPath { get; }

    /// <summary>Speech:RemoteUrl of an OpenAI-compatible speech server; absent: the built-in engines.</summary>
    public Uri? SpeechRemote { get; }

    /// <summary>Llm:Url of an OpenAI-compatible server, e.g. http://127.0.0.1:8080/v1; absent: the built-in dialogue engine.</summary>
    public Uri? LlmUrl { get; }

    public string LlmModel { get; }

    public string? LlmKey { get; }

    /// <summary>Gateway:AdminKeyFile holds the platform administrator's API key.</summary>
    public string? AdminKeyFile { get; }

    /// <summary>Gateway:DefaultTenant that the administrator's key works on when a request names none.</summary>
    public string DefaultTenant { get; }

    /// <summary>Gateway:RequestsPerMinute per key, 1..1000000.</summary>
    public int RequestsPerMinute { get; }

    /// <summary>Demo:Seed "true" creates the demo tenant at the start.</summary>
    public bool SeedDemo { get; }

    /// <summary>Audit:Enabled "false" leaves the event log unsigned.</summary>
    public bool AuditEnabled { get; }

    /// <summary>Audit:KeyFile with the private key that signs the event log, made when there is none; absent: audit-key.pem beside Gateway:AdminKeyFile, or beside the program.</summary>
    public string AuditKeyFile { get; }

    /// <summary>Audit:FormerKeyFile with the key before, which vouches for a new one.</summary>
    public string? AuditFormerKeyFile { get; }

    /// <summary>Audit:AnchorFile that always holds the newest checkpoint; a database that was set back does not fit it.</summary>
    public string? AuditAnchorFile { get; }

    /// <summary>Audit:IntervalSeconds, 1..3600: how long events wait for their signature at most.</summary>
    public int AuditIntervalSeconds { get; }

    /// <summary>
    /// Privacy:MasterKeyFile, or Privacy:MasterKeys itself: lines "id:base64 of 32 bytes", the current one first. Absent: personal data is stored in clear.
    /// </summary>
    public MasterKeys? MasterKeys { get; }

    /// <summary>Privacy:KeySchema of the data keys' tables; absent: the schema of the store.</summary>
    public string? KeySchema { get; }

    /// <summary>Privacy:ErasureLogYears for which receipts of erasures are kept, 1..30.</summary>
    public int ErasureLogYears { get; }

    /// <summary>Store:Schema, Store:Marten, Store:ArchiveFolder, Store:ForeignWriters: where the events lie, in whose tables, and who else writes there.</summary>
    public PostgresEventStoreOptions StoreOptions { get; }

    /// <summary>Services:Key, the secret that roles show each other.</summary>
    public string? ServiceKey { get; }

    /// <summary>Services:Write and so on: where another role answers. Null when this process has the role itself.</summary>
    public Uri? Service(Role role) => Roles.Has(role)
        ? null
        : Url("Services:" + role) ?? throw new SettingsException($"Services__{role} is not set: this process has roles {Roles} and must know where {role} answers.");

    /// <summary>The same, null also where it is not set.</summary>
    public Uri? ServiceIfSet(Role role) => Roles.Has(role) ? null : Url("Services:" + role);

    private static bool NeedsBus(RoleSet roles) => roles.Has(Role.Write) || roles.Has(Role.Sip) || roles.Has(Role.Agent) || roles.Has(Role.Read) || roles.Has(Role.Gateway);

    private MasterKeys? Keys(string file, string inline)
    {
        try
        {
            return _read.Text(file) is { } path ? EventStore.MasterKeys.FromFile(path) : _read.Text(inline) is { } text ? EventStore.MasterKeys.Parse(text) : null;
        }
        catch (MasterKeyException e)
        {
            throw new SettingsException($"{_read.Name(_read.Text(file) is null ? inline : file)}: {e.Message}");
        }
    }

    private SipTlsOptions? Certificates()
    {
        if (_read.Text("Sip:TlsCertificateFile") is not { } file)
        {
            return null;
        }

        try
        {
            return SipTlsOptions.FromFiles(file, _read.Text("Sip:TlsKeyFile"), _read.Text("Sip:TlsTrustFile")) with { RequireClientCertificate = _read.Switch("Sip:TlsRequireClientCertificate") };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new SettingsException($"Sip__TlsCertificateFile, Sip__TlsKeyFile, Sip__TlsTrustFile: {e.Message} PEM files with a certificate, its key and believed roots are needed.");
        }
    }

    private Uri? Url(string key) => _read.Text(key) is not { } text
        ? null
        : Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new SettingsException($"{_read.Name(key)} is '{text}': an http:// or https:// address is needed.");

    // The text itself is not repeated: it may hold a password.
    private string? ConnectionString(string key)
    {
        try
        {
            return _read.Text(key) is { } text ? new NpgsqlConnectionStringBuilder(text).ConnectionString : null;
        }
        catch (ArgumentException e)
        {
            throw new SettingsException($"{_read.Name(key)} cannot be read: {e.Message} 'Host=...;Port=...;Username=...;Database=...' is needed.");
        }
    }

    private string? RabbitAddress(string key) => _read.Text(key) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "amqp" or "amqps" or "rabbitmq" ? text
        : throw new SettingsException($"{_read.Name(key)} cannot be read: an amqp:// address is needed.");

    private IPAddress Address(string key, IPAddress fallback) => _read.Text(key) is not { } text
        ? fallback
        : IPAddress.TryParse(text, out var address) ? address : throw new SettingsException($"{_read.Name(key)} is '{text}': an IP address is needed.");

    private (int, int) PortRange(string key, string fallback)
    {
        var text = _read.Text(key) ?? fallback;
        if (text == "0")
        {
            return (0, 0);
        }

        var parts = text.Split('-', 2);
        return parts.Length == 2 && ushort.TryParse(parts[0], CultureInfo.InvariantCulture, out var from)
            && ushort.TryParse(parts[1], CultureInfo.InvariantCulture, out var to) && from > 1023 && to > from
            ? (from, to)
            : throw new SettingsException($"{_read.Name(key)} is '{text}': 'from-to' with ports from 1024 to 65535, or 0, is needed.");
    }
}
