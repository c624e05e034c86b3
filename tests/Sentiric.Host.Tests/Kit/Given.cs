using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Tests.Kit;

internal static class Given
{
    public const string ServiceKey = "secret-of-the-roles";

    /// <summary>The last value of a key counts; null is absent.</summary>
    public static IConfiguration Configuration(params (string Key, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.GroupBy(v => v.Key, StringComparer.OrdinalIgnoreCase).Select(g => KeyValuePair.Create(g.Key, g.Last().Value))).Build();

    /// <summary>Settings that are right, but for what a test adds or overrides.</summary>
    public static HostSettings Settings(string roles, params (string Key, string? Value)[] values) =>
        new(Whole(values), RoleSet.Parse(roles));

    /// <summary>The JSON of HTTP bodies as the host composes it.</summary>
    public static void WireJson(IServiceCollection services) => services.ConfigureHttpJsonOptions(o => Wire.Configure(o.SerializerOptions));

    public static IConfiguration Whole(params (string Key, string? Value)[] values) => Configuration(
    [
        ("ConnectionStrings:Postgres", "Host=127.0.0.1;Port=1;Username=nobody;Database=none"), ("ConnectionStrings:Rabbit", "amqp://127.0.0.1:1"), ("Services:Key", ServiceKey), .. values,
    ]);
}
