// Passkeys need a script: it asks the browser for one and puts the answer into the form. Nothing else is done here.
'use strict'

const usable = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON

async function ask(form) {
  const answer = await fetch(form.dataset.options, {
    method: 'POST',
    headers: {'X-CSRF-Token': form.elements.csrf_token.value, 'Content-Type': 'application/json'},
    body: '{}',
  })
  if (!answer.ok) throw new Error(String(answer.status))
  const publicKey = await answer.json()
  const credential = form.dataset.passkey === 'create'
    ? await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey)})
    : await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey)})
  form.elements.credential.value = JSON.stringify(credential.toJSON())
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!usable) continue
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    if (form.elements.credential.value) return
    event.preventDefault()
    const fault = form.querySelector('[data-fault]')
    fault.textContent = ''
    try {
      await ask(form)
      form.submit()
    } catch {
      fault.textContent = fault.dataset.fault
    }
  })
}
