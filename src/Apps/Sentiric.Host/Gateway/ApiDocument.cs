using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Gateway;

/// <summary>The OpenAPI document at /openapi/v1.json: made from the endpoints, and kept beside the code for a gateway that runs without them.</summary>
public static class ApiDocument
{
    private const string Path = "/openapi/v1.json";
    private const string KeptFile = "openapi.v1.json";

    public static void Describe(OpenApiOptions options) => options.AddDocumentTransformer((document, _, _) =>
    {
        document.Info = new OpenApiInfo
        {
            Title = "Sentiric API",
            Version = "1",
            Description = "Operate the platform: users, dialplans, knowledge, connectors, calls. Send the API key as 'Authorization: Bearer <key>' or 'X-Api-Key'. "
                + "Errors are problem+json (RFC 9457) with a stable member 'code'.",
        };
        document.Servers?.Clear();
        return Task.CompletedTask;
    });

    public static void Map(WebApplication app, HostSettings settings)
    {
        if (settings.Roles.Has(Role.Write) && settings.Roles.Has(Role.Read))
        {
            app.MapOpenApi("/openapi/{documentName}.json");
        }
        else
        {
            app.MapGet(Path, () => Results.File(System.IO.Path.Combine(AppContext.BaseDirectory, KeptFile), "application/json")).ExcludeFromDescription();
        }
    }
}
