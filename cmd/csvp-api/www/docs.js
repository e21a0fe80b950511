"use strict";
/* Swagger UI over this server's own document; a token that the jobs page was given serves here, too. */
const token = sessionStorage.getItem("csvp-token");

const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", dress);
dress();

window.ui = SwaggerUIBundle({
	url: "/api/schema/",
	dom_id: "#docs",
	deepLinking: true,
	tryItOutEnabled: false,
	displayRequestDuration: true,
	validatorUrl: null, // which would ask a server elsewhere
	requestInterceptor: (request) => {
		if (token && !request.headers.Authorization) request.headers.Authorization = `Bearer ${token}`;
		return request;
	},
});
